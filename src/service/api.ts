/**
 * The one API that every face uses: the views over rpc, the headless member, the benches and the tests.
 * Asynchronous, structured-clone values only, no object identity across it; ids are hexadecimal text.
 * What cannot be done throws a ServiceError with a stable code; views turn codes into sentences.
 */

export type Role = 'manager' | 'participant' | 'guest';
export const TOOL_KINDS = ['files', 'chat'] as const;
export type ToolKind = (typeof TOOL_KINDS)[number];

/** What a role may be allowed: of the workspace the first four, of tools the others. Viewing is everybody's. */
export type PermissionAction =
  ('invite' | 'uninvite' | 'addTools' | 'deleteTools') | ('add' | 'edit' | 'editOwn' | 'delete' | 'deleteOwn');
export type PermissionScope = 'workspace' | ToolKind;
/** What something is permitted or denied in: the workspace itself, every tool of a kind, or one tool. */
export type PermissionTarget = PermissionScope | { readonly tool: string };

export interface IdentityInfo {
  readonly account: string;
  readonly device: string;
  /** What others see. */
  readonly name: string;
  readonly deviceName: string;
}

export interface WorkspaceInfo {
  readonly id: string;
  readonly name: string;
  readonly role: Role | undefined;
  /** `joining`: the initial copy is on its way; `closed`: removed or deleted. */
  readonly state: 'open' | 'joining' | 'closed';
  readonly tools: readonly ToolInfo[];
  /** What this person may do to the workspace itself: of the four, those that are allowed. */
  readonly may: readonly PermissionAction[];
  readonly members: readonly MemberInfo[];
  readonly sync: SyncInfo;
  readonly unread: number;
}

export interface ToolInfo {
  readonly id: string;
  readonly kind: ToolKind;
  readonly name: string;
  /** What this person may do in it. */
  readonly may: readonly PermissionAction[];
  readonly unread: number;
}

export interface MemberInfo {
  readonly account: string;
  readonly name: string;
  readonly role: Role;
  readonly self: boolean;
  readonly presence: 'online' | 'idle' | 'offline';
  /** Groups of digits to compare by voice (I3). */
  readonly safetyNumber: string;
  readonly verified: boolean;
  /** Whether this member's devices are known to hold everything we hold. */
  readonly inSync: boolean;
  readonly devices: readonly MemberDeviceInfo[];
}

/** One device of a member, in one workspace. */
export interface MemberDeviceInfo {
  readonly device: string;
  /** As its person calls it; empty where he has not said. */
  readonly name: string;
  readonly self: boolean;
  readonly online: boolean;
  /** `dropped`: away for so long that it holds back nothing any more (L7); `frozen`: it has shown two histories (D8). */
  readonly standing: 'active' | 'dropped' | 'frozen';
  /** Who dropped or froze it. */
  readonly by?: string;
  /** It has shown two histories, and nobody has frozen it yet. */
  readonly forked: boolean;
  /** Milliseconds since 1970: since then, at least, it has held back the log, longer than this person's setting allows. */
  readonly absentSince?: number;
  /** Whether this person may drop it, or freeze it where it has forked. */
  readonly mayTakeOut: boolean;
}

export interface AbsentDevice extends MemberDeviceInfo {
  readonly account: string;
  readonly member: string;
}

/** Whether a role may do something; managers may do everything. */
export interface PermissionInfo {
  /** The workspace itself, or a kind of tool. */
  readonly scope: PermissionScope;
  /** The one tool of that kind which it is about; undefined: all of them. */
  readonly tool?: string;
  readonly action: PermissionAction;
  readonly role: 'participant' | 'guest';
  readonly allowed: boolean;
  /** What it would be with nothing said of it: the default, or of one tool what holds for all of its kind. */
  readonly otherwise: boolean;
  /** Something is said of it, and has not been taken back: a change of what it would be otherwise does not reach it. */
  readonly own: boolean;
  /** Who has set it last, or taken it back, where anybody ever has. */
  readonly changed?: {
    readonly by: string;
    readonly self: boolean;
    /** Milliseconds since 1970: that member's claim, clamped to now. */
    readonly at: number;
  };
}

export interface SyncInfo {
  /** Members other than ourselves, and how many are known to hold all we hold. */
  readonly others: number;
  readonly inSync: number;
  /** Of the rest, those whose relay keeps all that is ours for them: this device may close. */
  readonly relayed: number;
  /** File content that is known and not here yet. */
  readonly missingChunks: number;
  readonly missingBytes: number;
  /** Members who hold the same as we do and have another state, by name (L6). */
  readonly differing: readonly string[];
  /** This copy may have folded what others have in another way (D8). */
  readonly outOfStep: boolean;
  /** Members who write what only a newer Coterie knows, by name (D10). */
  readonly newer: readonly string[];
  /** A member's device is asked for a fresh copy (L6). */
  readonly renewing: boolean;
}

/** Something of this person's own that has no effect, or that nobody takes any more. */
export interface WorkInfo {
  readonly id: string;
  /** The first two have content, which can be saved; of the others there is only that they were done. */
  readonly kind: 'post' | 'file' | 'folder' | 'move' | 'deletion';
  readonly toolName: string;
  /** Of a file, a folder, or what was moved or deleted. */
  readonly name: string;
  /** Of a post, also one that was deleted. */
  readonly text: string;
  /** Why it has no effect: a rule's word, that a view turns into a sentence. */
  readonly reason: string;
  readonly time: number;
}

/** A workspace that this person is not in any more. */
export interface ClosedInfo {
  readonly id: string;
  readonly name: string;
  /**
   * `device`: another of his own devices has taken this one out; `dropped`: it was away for long, and may come back (`fetchAgain`);
   * `frozen`: it has shown two histories; `letInVain`: whoever has let it in was out himself, and had not heard it;
   * `overtaken`: somebody else was let in by its invitation at the same time, or who may invite was changed.
   */
  readonly how: 'removed' | 'left' | 'device' | 'dropped' | 'frozen' | 'letInVain' | 'overtaken';
  /** This device is in the workspace again: what is kept can be put back into it (`putBack`). */
  readonly isBack: boolean;
  /** Members are being asked to let this device in again. */
  readonly isAsking: boolean;
  /** Who did it, as he was known. */
  readonly by: string;
  /** Milliseconds since 1970, as that member's clock said, no later than it was heard. */
  readonly at: number;
  /** Own work that did not get out in time. */
  readonly work: readonly WorkInfo[];
}

/** How much was put back, and how much is left. */
export interface PutBack {
  readonly posts: number;
  readonly files: number;
  /** Folders made, things moved and deleted. */
  readonly deeds: number;
  readonly left: number;
}

export interface RelayInfo {
  readonly state: 'off' | 'connecting' | 'connected' | 'failed';
  readonly reason?: 'unreachable' | 'wrongKey' | 'refused' | 'badAddress';
  readonly detail?: string;
}

export interface InvitationInfo {
  readonly workspaceName: string;
  readonly workspace: string;
  readonly inviterName: string;
  readonly inviterAccount: string;
  readonly safetyNumber: string;
  readonly role: Role;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly alreadyMember: boolean;
}

export interface Invitation {
  readonly id: string;
  /** `vscode://coterie.coterie/join#…`: the part after the `#` is the secret; `scheme` is what `env.uriScheme` says. */
  readonly link: string;
  /** Content of a `.coterie-invite` file. */
  readonly file: string;
}

/** Why nothing comes of a join. */
export type JoinReason =
  | 'expired'
  | 'revoked'
  | 'used'
  | 'declined'
  | 'unknown'
  | 'unreachable'
  | 'workspaceFull'
  | 'takenOut'
  | 'deviceTakenOut';

export interface JoinInfo {
  readonly workspace: string;
  readonly workspaceName: string;
  /** This person is in it with another device, which has let this one in. */
  readonly own: boolean;
  readonly state: 'asking' | 'waiting' | 'copying' | 'done' | 'refused' | 'failed';
  /**
   * Of the refusal; a join that has failed was given up, or its person is told otherwise. While it asks again, what another
   * member says than who has let this device in.
   */
  readonly reason?: JoinReason;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Somebody continues a workspace in a new one (A7), and asks this person to come along. */
export interface OfferInfo {
  readonly id: string;
  /** Of the workspace that is continued. */
  readonly name: string;
  readonly newName: string;
  readonly by: string;
  readonly safetyNumber: string;
  readonly role: Role;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

export interface ContinueReport {
  /** The new one. */
  readonly workspace: string;
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
  readonly posts: number;
  /** Files whose content is not here, and that nobody was there to send. */
  readonly absent: readonly string[];
  readonly invited: readonly InvitedMember[];
}

/** Who is asked to come along. */
export interface InvitedMember {
  readonly account: string;
  readonly name: string;
  /** The word is on its way to a device of his, or waits at its relay; else it goes when one is reached, or he is sent the link. */
  readonly told: boolean;
  readonly link: string;
}

export interface JoinRequestInfo {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly account: string;
  readonly safetyNumber: string;
  readonly role: Role;
}

// ---- devices of one person ----------------------------------------------------------------------------------------

export interface DeviceInfo {
  readonly device: string;
  readonly name: string;
  readonly self: boolean;
  /** Milliseconds since 1970. */
  readonly added: number;
  readonly online: boolean;
  /** Whether it is known to hold all that this device holds. */
  readonly inSync: boolean;
  /** Milliseconds since 1970, to the minute; absent where it was never heard of. */
  readonly lastHeard?: number;
}

export interface LinkCodeInfo {
  /** For the other machine's *Link This Device…*. It is a secret: whoever has it can ask to become this person. */
  readonly code: string;
  /** The same as `vscode://coterie.coterie/link#…`. */
  readonly link: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Of this device's becoming one of somebody's. */
export interface LinkInfo {
  readonly state: 'asking' | 'waiting' | 'done' | 'refused';
  /** To be compared with what the other device shows. */
  readonly number: string;
  readonly reason?: 'expired' | 'used' | 'declined' | 'inUse' | 'notKept';
}

/** A device that came with a link code of this one. */
export interface DeviceRequestInfo {
  readonly id: string;
  readonly name: string;
  readonly number: string;
}

// ---- files --------------------------------------------------------------------------------------------------------

export interface FileEntry {
  readonly item: string;
  /** As shown: made safe, and unique in its folder whatever the case (F4). */
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly bytes: number;
  /** Milliseconds since 1970: the author's claim, clamped to receipt. */
  readonly modified: number;
  readonly created: number;
  readonly modifiedBy: string;
  /** Id of the version shown: what a write names as its base. */
  readonly version: string;
  /** Set where the entry is a conflict copy: whose changes it holds (F2). */
  readonly conflictOf?: string;
  readonly present: boolean;
  readonly unread: boolean;
}

export interface WriteOptions {
  readonly create: boolean;
  readonly overwrite: boolean;
  /**
   * The version that the writer had read; the present one where absent. A newer one makes a conflict copy, never a loss; where another file
   * stands under that name by now, the one that was read gets the version, or is there again, beside it.
   */
  readonly base?: string;
}

export interface RemoveOptions {
  readonly recursive: boolean;
  /** The one that is meant. */
  readonly version?: string;
}

export interface FileChange {
  readonly path: string;
  readonly type: 'created' | 'changed' | 'deleted';
}

export interface ImportReport {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
  /** Files left out, each with why. */
  readonly skipped: readonly {
    readonly path: string;
    readonly reason: 'unreadable' | 'not here' | 'kept changing' | 'link' | 'too large' | 'name' | 'special';
  }[];
  readonly cancelled: boolean;
}

// ---- chat ---------------------------------------------------------------------------------------------------------

export interface ChatPost {
  readonly id: string;
  readonly author: string;
  readonly authorName: string;
  readonly self: boolean;
  readonly text: string;
  /** Milliseconds since 1970, by its author's clock. */
  readonly time: number;
  /** With the id, the order of the chat (D6). */
  readonly height: number;
  /** Carried over from another workspace: whose post it was, and from when, as its author here says. They have not signed it. */
  readonly told?: { readonly account: string; readonly name: string; readonly time: number };
  readonly edited: boolean;
  readonly unread: boolean;
  /** `sent`: with everyone else; `waiting`: durable here, not yet known to be with all. */
  readonly delivery: 'waiting' | 'sent';
}

export interface ChatPage {
  readonly posts: readonly ChatPost[];
  /** Whether there are older ones before the first. */
  readonly more: boolean;
}

// ---- events -------------------------------------------------------------------------------------------------------

export type ServiceEvent =
  /** Something in the list, a name, a tool, a member, presence, sync state or a count has changed: ask again. */
  | { readonly type: 'workspaces' }
  | {
      readonly type: 'files';
      readonly workspace: string;
      readonly tool: string;
      readonly changes: readonly FileChange[];
    }
  /** Posts added or changed, whole: a panel puts them in by id. */
  | {
      readonly type: 'chat';
      readonly workspace: string;
      readonly tool: string;
      readonly posts: readonly ChatPost[];
      readonly removed: readonly string[];
    }
  | { readonly type: 'relay'; readonly relay: RelayInfo }
  | { readonly type: 'join'; readonly join: JoinInfo }
  | { readonly type: 'joinRequest'; readonly request: JoinRequestInfo }
  | { readonly type: 'offer'; readonly offer: OfferInfo }
  | { readonly type: 'joined'; readonly workspace: string; readonly name: string }
  /** Something in the list of own devices has changed: ask again. */
  | { readonly type: 'devices' }
  | { readonly type: 'link'; readonly link: LinkInfo }
  | { readonly type: 'deviceRequest'; readonly request: DeviceRequestInfo }
  | {
      readonly type: 'import';
      readonly operation: string;
      readonly doneFiles: number;
      readonly doneBytes: number;
      /** Where it is known. */
      readonly totalBytes?: number;
      readonly current: string;
    }
  /** Something the person should know; `code` selects the sentence, `detail` fills it. */
  | {
      readonly type: 'notice';
      readonly code: NoticeCode;
      readonly workspace?: string;
      readonly detail: Readonly<Record<string, string>>;
    };

export type NoticeCode =
  | 'conflict' // name, member, tool, path, copy: this person and he have changed a file at the same time (F2)
  | 'tailCut' // bytes: the last moments before a crash were not saved
  | 'damaged' // count: damaged records set aside, being fetched again
  | 'diskFull' //
  | 'storeFailed' // reason
  | 'fork' // member, device: a device has shown two histories
  | 'absent' // name, members, count: devices have held back the log for long (L7)
  | 'dropped' // name, member: this device was away for long, and is out of a workspace until its person wants it back
  | 'frozen' // name, member: this device has shown two histories, and is out of a workspace
  | 'notLetIn' // name: none of those who were asked lets this device, that was dropped, in again
  | 'workWaits' // name, count: what nobody had received when this device was taken out can be put back
  | 'relayFull' // member: their relay's queue is full; what is missing goes directly
  | 'newerVersion' // name, member: he uses a newer Coterie
  | 'removed' // name, member: this person is out of a workspace
  | 'overtaken' // name, member: he has let in somebody else at the same time, or changed who may invite, so that what let this device in does not count
  | 'letInVain' // name, member: he had taken out who has let this device into a workspace, and had not heard it
  | 'usedTwice' // another copy of this store writes as this device: nothing more is written here
  | 'ownFork' // name: a restored or copied store has written what contradicts the other
  | 'deviceRemoved' // name: another device of this person has taken this one out of a workspace
  | 'permissionsChanged' // name, member: who may do what is another than before
  | 'offerDeclined' // name, member: who was asked along into a workspace that continues does not come
  | 'continueUndone' // name: it was being continued in a new workspace when VS Code ended
  | 'deleted' // name, member: a workspace is deleted for all
  | 'diverged' // name, member: he holds the same and it adds up to something else
  | 'outOfStep' // name: this copy may have folded what others have in another way
  | 'renewed' // name, member: this copy goes on upon a fresh one of that member's
  | 'notRenewed' // name, member: no fresh copy came from there
  | 'badDelta'; // member: what was sent was not authentic and was dropped

export type ServiceErrorCode =
  | 'noIdentity'
  | 'locked'
  | 'inUse'
  | 'notFound'
  | 'exists'
  | 'notAFolder'
  | 'isAFolder'
  | 'notEmpty'
  | 'badName'
  | 'notPermitted'
  | 'notPresent' // content not here yet and nobody reachable
  | 'nobodyOnline' // name: no member's device that has a good copy can be asked now
  | 'tooLarge'
  | 'badInvitation' // truncated, damaged or not one
  | 'invitationExpired'
  | 'invitationForeign' // of a newer format
  | 'alreadyMember'
  | 'badPhrase' // reason: length (count), word (place, word), near (place, word, near), checksum
  | 'badLinkCode' // truncated, damaged, not one, of a newer format, or one's own
  | 'linkCodeExpired'
  | 'usedTwice' // another copy of this store writes as this device
  | 'awaitsWord' // a damaged or copied store: nothing is written before another device has told what is lacking
  | 'ownFork' // name: another copy of this store has written in this workspace, and this one too
  | 'inOtherAccount' // what is here would be lost by taking on another account
  | 'badRelayAddress'
  | 'diskFull' // reason: kept where the change stands, in memory, and is saved when there is room
  | 'storeFailed' // reason: kept, as above, or what is wrong
  | 'cancelled'
  | 'stopped'
  | 'internal';

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;
  /** What a sentence may name: a path, a member. Its `reason` says more than the code: `folder`, of any, that of this machine which was to be written. */
  readonly detail: Readonly<Record<string, string>>;
  constructor(code: ServiceErrorCode, detail: Readonly<Record<string, string>> = {}, message: string = code) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

export interface Settings {
  /** Text form of a relay address; empty for none. */
  readonly relay: string;
  readonly name: string;
  readonly deviceName: string;
  /** First port to try for direct connections; 0 does not listen. */
  readonly directPort: number;
  readonly lanDiscovery: boolean;
  /** L7: after how many days of holding back the log a device is called absent; 21 where it is not said. */
  readonly absentAfterDays?: number;
}

/** By which a window names one of its calls, so that it is not done twice where the window has to make it again (L3). */
export type CallKey = string;

// ---- the calls ----------------------------------------------------------------------------------------------------

export interface IdentityApi {
  identity(): Promise<IdentityInfo>;
  configure(settings: Settings): Promise<void>;
  relay(): Promise<RelayInfo>;
}

export interface WorkspacesApi {
  workspaces(): Promise<readonly WorkspaceInfo[]>;
  createWorkspace(options: { readonly name: string }): Promise<string>;
  renameWorkspace(workspace: string, name: string): Promise<void>;
  addTool(workspace: string, kind: ToolKind, name: string): Promise<string>;
  /**
   * L6: asks a member's device for a fresh copy and answers whose it is; what is here, and nobody else has, comes along. Throws
   * ServiceError('nobodyOnline').
   */
  renewCopy(workspace: string): Promise<string>;
  renameTool(workspace: string, tool: string, name: string): Promise<void>;
  deleteTool(workspace: string, tool: string): Promise<void>;
  markSeen(workspace: string, tool: string, item?: string): Promise<void>;
}

export interface MembersApi {
  setVerified(account: string, verified: boolean): Promise<void>;
  setRole(workspace: string, account: string, role: Role): Promise<void>;
  /** With it goes a new key: what is written from now on the removed member cannot read. */
  removeMember(workspace: string, account: string): Promise<void>;
  /** Devices that hold back the log now, looked for anew (L7); also those that this person may not drop. */
  absentDevices(workspace: string): Promise<readonly AbsentDevice[]>;
  /** L7: they hold back nothing any more; their persons stay members, and come back with a fresh copy when they want. */
  dropDevices(workspace: string, devices: readonly string[]): Promise<void>;
  /** D8: of a device that has shown two histories what this one has of it stands, and nothing else. */
  freezeDevice(workspace: string, device: string): Promise<void>;
  /** Whether participants or guests may do something; null takes back what was said of the target. */
  setPermission(
    workspace: string,
    target: PermissionTarget,
    action: PermissionAction,
    role: Role,
    allow: boolean | null,
  ): Promise<void>;
  /** Of the workspace, the kinds of its tools, and each tool, every action for participants and guests. */
  permissions(workspace: string): Promise<readonly PermissionInfo[]>;
  leaveWorkspace(workspace: string): Promise<void>;
  /** For all members (A8): nothing can be written any more; each keeps his copy until he has exported what he wants and calls `forget`. */
  deleteWorkspace(workspace: string): Promise<void>;
}

/** What this person has written that nobody takes, and the workspaces that he is out of. */
export interface OwnWorkApi {
  /** Own content that a rule took the effect from. */
  notAccepted(workspace: string): Promise<readonly WorkInfo[]>;
  /** Workspaces that this person is out of and has not dismissed. */
  closed(): Promise<readonly ClosedInfo[]>;
  /** What is kept of a closed workspace, and what was not accepted in an open one, as files in a folder: both where he is in again. */
  saveWork(workspace: string, localFolder: string, operation: string): Promise<ImportReport>;
  /**
   * What is kept of a workspace that this device is in again is written into it anew; what could not be stays kept. A file upon the version
   * that it was written upon, so that what others did since stays beside it (F2).
   */
  putBack(workspace: string): Promise<PutBack>;
  /** Takes a closed workspace off the list, and what was kept of it away; of one that was deleted the copy goes when no other needs it to hear of that (A8). */
  forget(workspace: string): Promise<void>;
}

export interface JoiningApi {
  invite(
    workspace: string,
    options: {
      readonly role: Role;
      readonly expiresInMs: number;
      readonly uses: number;
      readonly confirm: boolean;
      readonly scheme: string;
    },
  ): Promise<Invitation>;
  revokeInvitation(workspace: string, invitation: string): Promise<void>;
  readInvitation(text: string): Promise<InvitationInfo>;
  acceptInvitation(text: string): Promise<JoinInfo>;
  /** L7: asks the members, until one has answered, to let this device, that was dropped, in again; a fresh copy comes then. */
  fetchAgain(workspace: string): Promise<void>;
  joins(): Promise<readonly JoinInfo[]>;
  cancelJoin(workspace: string): Promise<void>;
  joinRequests(): Promise<readonly JoinRequestInfo[]>;
  answerJoin(request: string, accept: boolean): Promise<void>;
}

export interface ContinuingApi {
  /**
   * The present state of a workspace, and chosen members of it, into a new one of which this person is the manager (A7). `members` are
   * accounts; `operation` names it for progress events and `cancel`. Nobody sees anything of the new one before it is whole; where it
   * does not become so, nothing of it is left. Throws ServiceError('cancelled').
   */
  continueWorkspace(
    workspace: string,
    options: { readonly name: string; readonly members: readonly string[]; readonly scheme: string },
    operation: string,
  ): Promise<ContinueReport>;
  offers(): Promise<readonly OfferInfo[]>;
  /** Accepted, it is a join like any other. */
  answerOffer(offer: string, accept: boolean): Promise<void>;
}

export interface DevicesApi {
  /** 24 words: to be shown to the person, and kept nowhere. */
  recoveryPhrase(): Promise<string>;
  /** This device becomes a new one of the phrase's account; its members or devices let it into the workspaces. */
  restoreAccount(phrase: string): Promise<void>;
  /** One at a time, good for ten minutes and for one device; the one before is not good any more. */
  makeLinkCode(scheme: string): Promise<LinkCodeInfo>;
  withdrawLinkCode(): Promise<void>;
  deviceRequests(): Promise<readonly DeviceRequestInfo[]>;
  answerDevice(request: string, accept: boolean): Promise<void>;
  /** This device becomes one of the person who made the code, as long as it is in no workspace of its own. */
  linkDevice(code: string): Promise<LinkInfo>;
  linking(): Promise<LinkInfo | undefined>;
  cancelLink(): Promise<void>;
  devices(): Promise<readonly DeviceInfo[]>;
  renameDevice(device: string, name: string): Promise<void>;
  /** Out of every workspace, with new keys; it erases its copies when it next meets anybody. */
  removeDevice(device: string): Promise<void>;
}

export interface FilesApi {
  /** Paths are `/a/b`, in shown names; `/` is the root of the tool. */
  stat(workspace: string, tool: string, path: string): Promise<FileEntry>;
  list(workspace: string, tool: string, path: string): Promise<readonly FileEntry[]>;
  read(
    workspace: string,
    tool: string,
    path: string,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array>;
  /** Answers the version's id. */
  write(workspace: string, tool: string, path: string, bytes: Uint8Array, options: WriteOptions): Promise<string>;
  makeFolder(workspace: string, tool: string, path: string): Promise<void>;
  /** A file goes alone: a conflict copy beside it stays, under the name that it has (F2). With `version`: `notFound` where another is shown there now. */
  remove(workspace: string, tool: string, path: string, options: RemoveOptions): Promise<void>;
  rename(
    workspace: string,
    tool: string,
    from: string,
    to: string,
    options: { readonly overwrite: boolean },
  ): Promise<void>;
  copy(
    workspace: string,
    tool: string,
    from: string,
    to: string,
    options: { readonly overwrite: boolean },
  ): Promise<void>;
  /** Adds real files and folders, streaming; `operation` names it for progress events and `cancel`. */
  importPaths(
    workspace: string,
    tool: string,
    folder: string,
    localPaths: readonly string[],
    operation: string,
  ): Promise<ImportReport>;
  /** Streams a file or folder out to disk. */
  exportPath(
    workspace: string,
    tool: string,
    path: string,
    localFolder: string,
    operation: string,
  ): Promise<ImportReport>;
  cancel(operation: string): Promise<void>;
}

export interface ChatApi {
  post(workspace: string, tool: string, text: string): Promise<ChatPost>;
  editPost(workspace: string, tool: string, post: string, text: string): Promise<void>;
  deletePost(workspace: string, tool: string, post: string): Promise<void>;
  /** The newest page, or the one before a post. */
  chat(
    workspace: string,
    tool: string,
    options: { readonly before?: string; readonly limit: number },
  ): Promise<ChatPage>;
}

/** All of it. Beside it, `events` delivers every ServiceEvent; a subscriber filters. */
export interface CoterieApi
  extends
    IdentityApi,
    WorkspacesApi,
    MembersApi,
    OwnWorkApi,
    JoiningApi,
    ContinuingApi,
    DevicesApi,
    FilesApi,
    ChatApi {}

/** Secrets of this device, kept by the window in SecretStorage (I2); base64url of 32 bytes each. */
export interface DeviceSecrets {
  readonly accountSeed: string;
  readonly signingSeed: string;
  readonly agreementSecret: string;
  readonly storeKey: string;
}
