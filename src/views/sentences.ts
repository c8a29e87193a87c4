/**
 * Every failure and every notice in one sentence or two: what happened, what was kept, what to do.
 * The English text is the key of the translation (l10n/bundle.l10n.json). `{name}` is filled from the detail; what the detail lacks, from `lacking`.
 */
import type { JoinReason, LinkInfo, NoticeCode, ServiceErrorCode, ImportReport, RelayInfo } from '../service/api.ts';

export type Severity = 'information' | 'warning' | 'error';

export interface Sentence {
  readonly severity: Severity;
  readonly text: string;
}

const error = (text: string): Sentence => ({ severity: 'error', text });
const warning = (text: string): Sentence => ({ severity: 'warning', text });
const information = (text: string): Sentence => ({ severity: 'information', text });

export const errorSentences: Readonly<Record<ServiceErrorCode, Sentence>> = {
  noIdentity: information('There is no workspace on this machine yet. Create one, or accept an invitation.'),
  locked: error(
    'Your workspaces are on this machine, encrypted, but the key that opens them is not in this VS Code’s secret storage. Nothing was changed. Open VS Code as you did when you made them, then try again.',
  ),
  inUse: error(
    'Another VS Code window holds your workspaces and does not answer. Nothing was changed. This one goes on when it does. If it never does, close that window.',
  ),
  notFound: error(
    '{path} is not there any more. It may have been renamed or deleted by another member. Nothing was changed.',
  ),
  exists: error('{path} exists already. Nothing was overwritten. Choose another name.'),
  notAFolder: error('{path} is a file, not a folder. Nothing was changed.'),
  isAFolder: error('{path} is a folder, not a file. Nothing was changed.'),
  notEmpty: error('{path} is not empty. Nothing was deleted. Delete what is in it first.'),
  badName: error(
    '“{name}” cannot be a name: it is empty, too long, or holds characters that some system refuses. Nothing was changed. Choose another name.',
  ),
  notPermitted: error(
    'Your role in this workspace does not allow that. Nothing was changed. A manager can do it, or change your role.',
  ),
  notPresent: error(
    'The content of {path} has not arrived yet, and no member who holds it is reachable. It is fetched by itself as soon as one is. Try again then.',
  ),
  nobodyOnline: error(
    'No other member’s machine in {name} can be reached now, or none of those has a copy that is in step itself. So no fresh one can be fetched; nothing was changed. Try again when somebody else is online.',
  ),
  tooLarge: error('{path} is larger than a workspace can hold. What is there was kept. Share it in smaller parts.'),
  badInvitation: error(
    'This is not a whole invitation: it may have been cut off when it was copied. Nothing was changed. Ask for the link or the file again.',
  ),
  invitationExpired: error(
    'This invitation has expired. Nothing was changed. Ask the person who invited you for a new one.',
  ),
  invitationForeign: error(
    'This invitation was made by a newer Coterie. Nothing was changed. Update the extension, then open the invitation again.',
  ),
  alreadyMember: information('You are a member of this workspace already. You find it in the Coterie view.'),
  badPhrase: error(
    'This is not a recovery phrase: a word of it is another, or two have changed places. Nothing was changed. Compare it with what you wrote down.',
  ),
  badLinkCode: error(
    'This is not a whole link code: it may have been cut off when it was copied. Nothing was changed. Copy it again from your other machine.',
  ),
  linkCodeExpired: error(
    'This link code has expired: it is good for ten minutes. Nothing was changed. Make a new one on your other machine.',
  ),
  usedTwice: error(
    'This machine’s store is in use twice: it was copied to another machine or VS Code profile, and both write as the same device. This change was not made; what is here is kept. Close one of the two, then reload the other.',
  ),
  awaitsWord: error(
    'This machine’s store was damaged, restored or copied, and may lack what you had written in {name}. So that nothing of it is contradicted, nothing is written there until another device of the workspace has been reached and has told what is lacking. This change was not made; what is here can be read. Leave VS Code open, and try again when somebody is online. Where nobody whom you see there comes any more, ask somebody else who is in it for an invitation, and accept that.',
  ),
  ownFork: error(
    'This machine’s store was restored or copied, and has written in {name} what contradicts the other copy: nobody takes anything more from it there. This change was not made; what is here is kept. Copy what you need out of it, and ask a manager to let you in with another device.',
  ),
  inOtherAccount: error(
    'This machine is in use already: it has workspaces or other devices of its own, and would lose them by becoming another person’s. Nothing was changed. Leave them first, or use another VS Code profile.',
  ),
  badRelayAddress: error(
    'The address of the relay is not a valid one, so no relay is used. Everything is kept on this machine. Copy the whole address as the relay printed it.',
  ),
  diskFull: error(
    'The disk is full, so the last change could not be saved. What was saved before is kept. Free some space, then save again.',
  ),
  storeFailed: error(
    'Your workspaces’ store could not be read or written. What was saved before is kept. Check the disk, then reload the window.',
  ),
  cancelled: information('Cancelled. What was finished before is kept.'),
  stopped: warning(
    'The connection to your workspaces ended before this was done. What was saved is kept. It reconnects by itself; try again.',
  ),
  internal: error(
    'Something went wrong inside Coterie. What was saved is kept. Try again; the log says where it happened.',
  ),
};

/** Where the detail of a failure says more than its code: by code and `reason`. */
export const reasonSentences: Readonly<Record<string, Sentence>> = {
  'inUse version': error(
    'Another VS Code window runs another version of Coterie. Nothing was changed. Reload that window, then this one.',
  ),
  'diskFull kept': warning(
    'The disk is full. Your change stands, for now in memory: it is saved and sent by itself once there is room. Free some space before you close VS Code.',
  ),
  'storeFailed kept': warning(
    'The store could not be written. Your change stands, for now in memory: it is saved and sent by itself once the store can be written again. Check the disk before you close VS Code.',
  ),
  'notPresent opened': warning(
    'The content of {path} has not arrived yet, and no member who holds it is reachable. Nothing is lost. Leave its tab open: the file shows there by itself as soon as somebody who has it is reachable.',
  ),
  'notFound unnamed': error(
    'That is not there any more: somebody has answered, finished or removed it meanwhile, here or elsewhere. Nothing was changed.',
  ),
  'notPermitted folder': error(
    'This system does not let Coterie write into that folder. What was written there before is kept; in the workspace nothing was changed. Choose another folder.',
  ),
  'notFound folder': error(
    'That folder is not there any more: it was moved or deleted, or its disk was taken out. In the workspace nothing was changed. Choose another folder.',
  ),
  'diskFull folder': error(
    'There is no room left on the disk of that folder. What was written there before is kept; in the workspace nothing was changed. Free some space, or choose another folder.',
  ),
  'internal folder': error(
    'That folder could not be written: its disk may be damaged, or was taken out. What was written there before is kept; in the workspace nothing was changed. Choose another folder.',
  ),
  'locked notKept': error(
    'This VS Code’s secret storage does not keep the key of your account, so nothing was changed. Set up the keychain of your system, then try again.',
  ),
  'badPhrase length': error(
    'A recovery phrase has 24 words, and here are {count}. Nothing was changed. Look whether one is missing, or twice there.',
  ),
  'badPhrase word': error(
    'Word {place}, “{word}”, is none that a recovery phrase can have. Nothing was changed. Compare it with what you wrote down.',
  ),
  'badPhrase near': error(
    'Word {place}, “{word}”, is none that a recovery phrase can have. Nothing was changed. Did you mean: {near}?',
  ),
  'badLinkCode notACode': error(
    'This is not a link code. Nothing was changed. On your other machine, “Coterie: Add Another Device…” makes one.',
  ),
  'badLinkCode newer': error(
    'This link code was made by a newer Coterie. Nothing was changed. Update the extension on this machine, then try again.',
  ),
  'badLinkCode own': error(
    'This code was made on this machine. Nothing was changed. Use it on the machine that you want to add.',
  ),
  'notPermitted senior': error(
    '{member} stands above you here: who became a manager earlier can be neither removed nor given another role by who became one later. Nothing was changed. “Continue in a New Workspace…” takes the files, the chat and whom you choose along, without {member}.',
  ),
  'notPermitted self': error(
    'A device cannot take itself out. Nothing was changed. Do it on another of your devices, or leave the workspaces here.',
  ),
};

export function errorSentence(code: ServiceErrorCode, detail: Readonly<Record<string, string>>): Sentence {
  const isUnnamed = code === 'notFound' && detail['path'] === undefined;
  return reasonSentences[`${code} ${detail['reason'] ?? (isUnnamed ? 'unnamed' : '')}`] ?? errorSentences[code];
}

/** The owner of the store has stopped answering this window, which was at work. */
export const stalledSentence = warning(
  'Another VS Code window holds your workspaces and does not answer. What you do here waits, and goes on when it does. If it never does, close that window: this one takes over.',
);

/** Of several files. */
export const conflictsSentence = warning(
  '{files} were changed by you and by others at the same time. Of each both were kept: one under its own name, the other beside it as a conflict copy. Compare them and delete what you do not need.',
);

export const noticeSentences: Readonly<Record<NoticeCode, Sentence>> = {
  conflict: warning(
    '{file} was changed by you and by {member} at the same time. Both were kept: one under its own name, the other beside it as a conflict copy. Compare them and delete what you do not need.',
  ),
  tailCut: warning(
    'VS Code ended before the last moments were saved ({bytes} bytes). Everything before is kept. Look whether your last change is there.',
  ),
  damaged: warning(
    'The store held damaged records ({count}). They were set aside and are fetched again from other members. Everything else is kept. Check the disk.',
  ),
  diskFull: error(
    'The disk is full. What was saved is kept. What you write now is kept in memory, and is saved and sent by itself once there is room: free some space before you close VS Code.',
  ),
  storeFailed: error(
    'The store could not be written. What was saved is kept. What you write now is kept in memory, and is saved and sent by itself once the store can be written again: check the disk before you close VS Code.',
  ),
  fork: warning(
    'A device of {member} has shown two different histories: a restored back-up, or a stolen key. What had arrived is kept; nothing more is taken from that device. Ask {member}.',
  ),
  absent: information(
    'In {name}, devices of {members} ({count}) have not been heard of for long. Every member’s machine keeps the whole history for them until they are back, and that takes more and more room. Nothing is wrong with what is here. You can drop them: their people stay members, and get a fresh copy when they are back.',
  ),
  dropped: warning(
    'This machine was away for so long that {member} has dropped it from {name}, so that the others need not wait for it. You are still a member. The old copy here was erased; what you had written and nobody had received was kept. “Fetch a Fresh Copy” brings this machine back.',
  ),
  frozen: warning(
    '{member} has frozen this machine in {name}, because it has shown two different histories: its store was restored or copied. The copy here was erased; what you had written and nobody had received was kept. To go on, link another device of yours, or begin in a new VS Code profile and be invited again.',
  ),
  notLetIn: warning(
    'No member of {name} who could be asked lets this machine in again: you may have been removed from it meanwhile. What you had written and nobody had received is kept. Ask a manager to invite you.',
  ),
  workWaits: information(
    '{name} is on this machine again. What you had written here before, and nobody had received, was kept ({count}). You can put it back now, or save it in a folder.',
  ),
  relayFull: warning(
    'The relay of {member} has no room left. Nothing is lost: what is missing goes to {member} directly, when you are online together.',
  ),
  newerVersion: warning(
    '{member} uses a newer Coterie. What this version does not know of {name} is kept, and shows once you have updated the extension. What was written after it may wait for that, too.',
  ),
  removed: warning(
    '{member} has removed you from {name}. Your copy of it was erased. What you had written and nobody had received yet was kept.',
  ),
  overtaken: warning(
    'You are not in {name} any more. Just as you were let in, {member} gave your invitation or the last place to somebody else, or changed who may invite; and that goes before. The copy here was erased; what you had written was kept. To come in again, ask for another invitation.',
  ),
  letInVain: warning(
    'You are not in {name} any more. Whoever let you in was not allowed to any more: {member} had removed them or given them a lower role, which they had not heard yet. The copy here was erased; what you had written was kept. To come in again, ask a manager to invite you; another device of yours that is in it lets this one in by itself.',
  ),
  usedTwice: error(
    'This machine’s store is in use twice: it was copied to another machine or VS Code profile, and both write as the same device. Nothing is lost, but nothing more is written here. Close one of the two, then reload the other.',
  ),
  ownFork: error(
    'This machine’s store was restored or copied, and has written in {name} what contradicts the other copy: nobody takes anything more from it there. What is here is kept. Copy what you need out of it, and ask a manager to let you in with another device.',
  ),
  deviceRemoved: warning(
    'Another of your devices has taken this one out of {name}. The copy here was erased. What was written here and nobody had received yet was kept.',
  ),
  offerDeclined: information(
    '{member} does not come along into {name}. Everything else is as it was. Should that change, invite {member} there again.',
  ),
  continueUndone: warning(
    'VS Code ended before {name} was continued in a new workspace. What there was of the new one was removed; {name} is as it was. Begin again.',
  ),
  permissionsChanged: information(
    '{member} has changed what participants and guests may do in {name}. Nothing else was changed. “Permissions…” shows what, and by whom.',
  ),
  deleted: warning(
    '{member} has deleted {name} for all members. Nothing can be written in it any more. Your copy stays until you remove it from the list: export first what you want to keep.',
  ),
  diverged: error(
    '{member} and you hold the same changes of {name}, and they do not add up to the same here and there. Nothing is lost: both copies are kept as they are. Make sure that you both use the newest Coterie. If it goes on, compare your files: where your copy is the wrong one, a fresh one puts it right. Tell the makers of Coterie.',
  ),
  outOfStep: warning(
    'Your copy of {name} may show some things in another way than the others’, and may not get all that they write, nor they all of yours: the two copies do not fit together any more. Nothing is lost. A fresh copy from another member puts it right.',
  ),
  renewed: information(
    'Your copy of {name} is a fresh one now, from {member}. What you had written and nobody had yet came along; where it could not, “Show What Was Not Accepted…” lists it.',
  ),
  notRenewed: warning(
    'No fresh copy of {name} came from {member}: that machine has gone, or has none to give yet. Your copy is as it was. Try again later, or when another member is online.',
  ),
  badDelta: warning(
    'Something that {member} sent was not authentic and was dropped. Everything else is kept. If this goes on, ask {member} to reload VS Code.',
  ),
};

export const joinSentences: Readonly<Record<JoinReason, Sentence>> = {
  expired: error('The invitation to {workspace} has expired. Nothing was changed. Ask for a new one.'),
  revoked: error('The invitation to {workspace} was revoked. Nothing was changed. Ask the person who invited you.'),
  used: error('The invitation to {workspace} was used already. Nothing was changed. Ask for a new one.'),
  declined: warning(
    'Your request to join {workspace} was declined. Nothing was changed. Ask the person who invited you.',
  ),
  unknown: error(
    'Nobody in {workspace} knows this invitation. Nothing was changed. Ask the person who invited you for a new one.',
  ),
  unreachable: warning(
    'No member of {workspace} could be reached. The invitation stays good: leave VS Code open, or accept it again when the person who invited you is online.',
  ),
  takenOut: error(
    'You were taken out of {workspace} before your copy of it had come. Nothing of it is kept here. Ask a member for a new invitation.',
  ),
  deviceTakenOut: error(
    'This machine was taken out of {workspace} before its copy had come. Nothing of it is kept here; your other devices are as they were. To have it on this machine, link it again in a new VS Code profile.',
  ),
  workspaceFull: error('{workspace} has as many members as it can have. Nothing was changed. A manager can make room.'),
};

/** What has gone well, and what it means. */
export const doneSentences = {
  asksForCopy: information(
    '{member}’s machine is asked for a fresh copy of {name}. You can go on working; you are told when it is here.',
  ),
  asked: information(
    'Your request to join {workspace} was sent. It opens by itself when it is confirmed; you can go on working.',
  ),
  joined: information('You are now a member of {workspace}.'),
  fetched: information('{workspace} is on this machine now.'),
  linked: information('This machine is one of your devices now. Your workspaces are on their way.'),
  deviceAdded: information('{name} is one of your devices now, and fetches your workspaces.'),
  deviceRemoved: information('{name} is taken out of your workspaces.'),
  devicesDropped: information(
    'Dropped from {name}: {devices}. The others keep nothing for what was dropped any more. Whoever uses it stays a member, is told when it is back, and gets a fresh copy with one click.',
  ),
  deviceFrozen: information(
    '{member}’s device is frozen in {name}: what it had written before its two histories part stands, and nothing else of it counts. {member} goes on with another device, or with this one in a new VS Code profile that is invited again.',
  ),
  asksToReturn: information(
    'The members of {name} are asked to let this machine in again. The first who is online does, and a fresh copy comes; you can go on working.',
  ),
  putBack: information('Put back into {name}: {what}.'),
  putBackSome: warning(
    'Put back into {name}: {what}. What could not be put back is kept ({left}). “Save Unsent Work…” puts it into a folder.',
  ),
  movedInPart: warning(
    'Somebody changed {name}, or something in it, while it was copied into the other workspace. The copy is there, and what came meanwhile was left here. Nothing was lost: look through both.',
  ),
  changedMeanwhile: warning(
    '{path} was changed by another member while you were asked. Nothing was deleted. Look at it, then delete it again if you still want to.',
  ),
  phraseCompared: information('The words on your paper are right. They bring your account back on any machine.'),
  restored: information(
    'Your account is on this machine. Your workspaces come from others: link it with another of your devices, or ask a manager of each workspace to remove you and to invite you again.',
  ),
} satisfies Readonly<Record<string, Sentence>>;

/** Why this machine did not become one of a person's devices. */
export const linkSentences: Readonly<Record<NonNullable<LinkInfo['reason']>, Sentence>> = {
  expired: error(
    'The link code has expired: it is good for ten minutes. Nothing was changed. Make a new one on your other machine.',
  ),
  used: error(
    'The link code was used already, by another machine. Nothing was changed here. Make a new one, and look at the list of your devices for one that is not yours.',
  ),
  declined: warning(
    'Your other machine has declined. Nothing was changed. Make a new link code there, then try again.',
  ),
  inUse: error(
    'This machine has come into use meanwhile, and would lose what is on it by becoming one of your devices. Nothing was changed here. Leave its workspaces first, or use another VS Code profile, and make a new link code.',
  ),
  notKept: error(
    'This machine’s secret storage does not keep the keys of your account, so that it did not become one of your devices. Nothing was changed here. Set up the keychain of your system, then make a new link code on your other machine.',
  ),
};

export const relaySentences: Readonly<Record<NonNullable<RelayInfo['reason']>, Sentence>> = {
  unreachable: warning(
    'The relay does not answer. Everything is kept here and goes out directly or when the relay is back. Check the address and your network.',
  ),
  wrongKey: error(
    'What answers at the relay’s address is not your relay: its key is another. Nothing was sent to it. Ask who runs the relay for its address.',
  ),
  refused: error(
    'The relay does not let this device register. Everything is kept here. Ask who runs the relay for an invitation to it.',
  ),
  badAddress: errorSentences.badRelayAddress,
};

export const skipSentences: Readonly<Record<ImportReport['skipped'][number]['reason'], string>> = {
  unreadable: 'could not be read',
  'not here': 'has not arrived here yet; export it again when it has',
  'kept changing': 'kept changing while it was read; add it again when it rests',
  link: 'is a link; what it points to was not followed',
  'too large': 'is larger than a workspace can hold',
  name: 'has a name that some system refuses',
  special: 'is not an ordinary file',
};

/** Why own content has no effect (D9). */
export const notAcceptedReasons: Readonly<Record<string, string>> = {
  cutOff: 'written after you were removed or given another role, before you knew of it',
  left: 'written after you had left',
  notPermitted: 'your role did not allow it when it was written',
  noTarget: 'what it changes was not there any more',
  unknownTool: 'the tool was deleted',
  forked: 'this machine’s store was restored or copied, and has contradicted itself',
  newer: 'written for a newer Coterie',
  apart: 'not in the fresh copy that you fetched, or a change of something that is not in it',
  waits: 'waits for something of yours that is missing here until somebody sends it',
};

export function reasonWords(reason: string): string {
  return notAcceptedReasons[reason] ?? 'a rule of the workspace took its effect away';
}

/** Words for what a sentence names and the detail does not tell. */
const lacking: Readonly<Record<string, string>> = {
  path: 'The file or folder',
  name: '',
  file: 'A file',
  files: '?',
  member: 'another member',
  bytes: '?',
  count: '?',
  members: 'members',
  left: '?',
  devices: '?',
  what: '?',
  workspace: 'the workspace',
  place: '?',
  word: '?',
  near: '?',
};

export function fills(detail: Readonly<Record<string, string>>): Record<string, string> {
  const name = detail['path']?.split('/').at(-1);
  return { ...lacking, ...(name === undefined ? {} : { name }), ...detail };
}
