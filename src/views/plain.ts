/**
 * VS Code reads `[label](command:…)` in every notification without a dialog, and one click runs the command with whatever the link hands
 * it. Names are chosen by others: between `]` and `(` goes a word joiner, which no person sees, and which no link survives.
 */
const WORD_JOINER = '\u2060';

export function plain(text: string): string {
  return text.replaceAll('](', `]${WORD_JOINER}(`);
}

/** Marks that turn the direction of what follows them, be it the number behind a name. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const BREAKING = /[\p{Cc}\u2028\u2029\s]+/gu;
/** In letters. A safety number has 71. */
const MAX_BESIDE_NUMBER = 40;

/** I3: a name, where its owner is told from others by a number that stands beside it: it could hold another's, on a line of its own. */
export function besideNumber(name: string): string {
  const letters = [...name.replace(TURNING, '').replace(BREAKING, ' ').trim()];
  return letters.length > MAX_BESIDE_NUMBER ? `${letters.slice(0, MAX_BESIDE_NUMBER - 1).join('')}…` : letters.join('');
}
