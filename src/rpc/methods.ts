import type { CoterieApi } from '../service/api.ts';

/**
 * What may happen to a call whose owner goes away before it has answered (L3):
 * - `ask` changes nothing, and is simply asked again;
 * - `once` carries an idempotency id, so that the one who has done it already answers without doing it twice, be it in memory here or, as
 *   the next owner, by what it made (`service/made-calls.ts`);
 * - `long` streams from or to disk; it ends with `stopped`, and the person sees how far it came.
 */
export type MethodKind = 'ask' | 'once' | 'long';

/** Every method of the api: the compiler finds the one that is missing here, or is none. */
export const METHODS = {
  identity: 'ask',
  configure: 'once',
  relay: 'ask',
  workspaces: 'ask',
  createWorkspace: 'once',
  renameWorkspace: 'once',
  addTool: 'once',
  renewCopy: 'once',
  renameTool: 'once',
  deleteTool: 'once',
  markSeen: 'once',
  setVerified: 'once',
  setRole: 'once',
  removeMember: 'once',
  absentDevices: 'ask',
  dropDevices: 'once',
  freezeDevice: 'once',
  setPermission: 'once',
  permissions: 'ask',
  leaveWorkspace: 'once',
  deleteWorkspace: 'once',
  notAccepted: 'ask',
  closed: 'ask',
  saveWork: 'long',
  putBack: 'once',
  forget: 'once',
  invite: 'once',
  revokeInvitation: 'once',
  readInvitation: 'ask',
  acceptInvitation: 'once',
  fetchAgain: 'once',
  joins: 'ask',
  cancelJoin: 'once',
  joinRequests: 'ask',
  answerJoin: 'once',
  continueWorkspace: 'long',
  offers: 'ask',
  answerOffer: 'once',
  recoveryPhrase: 'ask',
  restoreAccount: 'once',
  makeLinkCode: 'once',
  withdrawLinkCode: 'once',
  deviceRequests: 'ask',
  answerDevice: 'once',
  linkDevice: 'once',
  linking: 'ask',
  cancelLink: 'once',
  devices: 'ask',
  renameDevice: 'once',
  removeDevice: 'once',
  stat: 'ask',
  list: 'ask',
  read: 'ask',
  write: 'once',
  makeFolder: 'once',
  remove: 'once',
  rename: 'once',
  copy: 'once',
  importPaths: 'long',
  exportPath: 'long',
  cancel: 'once',
  post: 'once',
  editPost: 'once',
  deletePost: 'once',
  chat: 'ask',
} as const satisfies Record<keyof CoterieApi, MethodKind>;

export type MethodName = keyof typeof METHODS;

export function isMethodName(name: unknown): name is MethodName {
  return typeof name === 'string' && Object.hasOwn(METHODS, name);
}
