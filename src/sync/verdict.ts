/** What is said of a delta: that it has its effect, or why it has none. */
export type VoidReason =
  | 'malformed'
  | 'noCredential' // cites none, or one that is not his, not accepted or not his best (A3)
  | 'cutOff' // of somebody removed or demoted, outside the cut (A4)
  | 'left' // after his own leave (A7)
  | 'notPermitted' // (A2, A5, A10)
  | 'noTarget' // somebody or something that is not there (A10)
  | 'invitation' // used up or revoked (N3)
  | 'forked'; // on a branch that nobody has named (D8)

export interface Refusal {
  readonly accepted: false;
  readonly reason: VoidReason;
}

export type Verdict = { readonly accepted: true } | Refusal;

export const ACCEPTED: Verdict = { accepted: true };
export const refused = (reason: VoidReason): Refusal => ({ accepted: false, reason });
