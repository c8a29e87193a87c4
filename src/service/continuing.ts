/**
 * *Continue in a New Workspace…* (A7): the present state of a workspace, and chosen members of it, in a new one of which this person is
 * the manager; for when nobody can remove a senior, or no manager is left. Tools with their names, what managers have permitted, folders
 * and files as they are, and chats go along, signed anew by who continues; the history of versions does not.
 *
 * Nobody hears of the new one before it is whole: until then it is marked, in the same append as its genesis, is in no list, and lets no
 * other device in. What is cancelled, fails, or is cut off by a crash is erased, at once or at the next start; the old one is only read.
 * Kept in local state: `continuing/<new>` = name of the old one, as long as it is not whole; and of each member who is asked along
 * `taken/<new>/<account>` = [old 32, invite 32, invitation text, whether it waits at his relay], until he is in or has declined.
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asFlag, asText, type Value } from '../protocol/codec.ts';
import { MAX_NAME_BYTES, MAX_SEALED_INVITATION_BYTES } from '../protocol/limits.ts';
import { controlBody, Role } from '../sync/control.ts';
import type { Entry } from '../sync/replica.ts';
import type { Member } from '../sync/roster.ts';
import { ServiceError, type ContinueReport, type InvitedMember, type PermissionInfo } from './api.ts';
import type { ByteCache } from './byte-cache.ts';
import { Chat } from './chat.ts';
import { eraseCopy } from './closed-workspace.ts';
import { Files } from './files.ts';
import type { Hub } from './hub.ts';
import type { Inviting } from './inviting.ts';
import { named } from './names.ts';
import { announceSelf } from './own-names.ts';
import { permissionsOf } from './permissions.ts';
import type { Progress } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { ROLE_NAMES } from './workspace-info.ts';
import type { Workspaces } from './workspaces.ts';

export interface ContinueOptions {
  readonly name: string;
  /** Accounts. */
  readonly members: readonly string[];
  readonly scheme: string;
}

export interface ContinuingOptions {
  readonly hub: Hub;
  readonly workspaces: Workspaces;
  readonly cache: ByteCache;
  /** The journal is written anew, without what counts no more. */
  compact(): Promise<void>;
}

/** Who is asked along, and what is still to be said to him. */
interface Taken {
  readonly into: WorkspaceId;
  readonly account: AccountId;
  readonly from: WorkspaceId;
  readonly invite: DeltaId;
  readonly text: string;
  readonly isAtRelay: boolean;
}

type Carried = Omit<ContinueReport, 'workspace' | 'invited'>;

const TOOL_ID_BYTES = 8;
/** Longer than an invitation that somebody waits for: who is away for weeks is to come along, too. */
const INVITED_FOR_MS = 30 * 24 * 60 * 60 * 1000;

export class Continuing {
  readonly #options: ContinuingOptions;
  readonly #hub: Hub;
  readonly #workspaces: Workspaces;

  constructor(options: ContinuingOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#workspaces = options.workspaces;
  }

  /** Not whole yet, or not erased yet: nobody is to see it. */
  isUnfinished(id: WorkspaceId): boolean {
    return this.#hub.local.get(unfinishedKey(id)) !== undefined;
  }

  /** What a crash has left half done goes. Answers the names of the workspaces that were being continued. */
  async restore(): Promise<readonly string[]> {
    const undone: string[] = [];
    for (const [id, value] of [...this.#hub.local.under('continuing/')]) {
      undone.push(asText(value, MAX_NAME_BYTES) ?? '');
      await this.#erase(id as WorkspaceId);
    }
    return undone;
  }

  // ---- carrying over ----------------------------------------------------------------------------------------------------

  /** Throws ServiceError, and StoreError: then nothing of the new one is left. */
  async continue(
    id: string,
    options: ContinueOptions,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<ContinueReport> {
    const old = this.#workspaces.find(id).workspace;
    if (old.roster.deleted) throw new ServiceError('notPermitted', { reason: 'deleted' });
    const members = options.members.map((account) => memberOf(old, account));
    const mark = { key: unfinishedKey, value: old.roster.name };
    const founded = await this.#workspaces.found(named(options.name), { mark });
    try {
      const carried = await this.#carry(old, founded, signal, onProgress);
      const invited = await this.#invite(old, founded, members, options.scheme);
      this.#hub.local.drop(unfinishedKey(founded.id));
      await announceSelf(this.#hub, founded);
      await this.#hub.commit([]);
      this.#hub.changed();
      this.#hub.emit({ type: 'workspaces' });
      return { workspace: founded.id, ...carried, invited: await this.#tellAll(founded.id, invited) };
    } catch (error) {
      // What cannot be erased now, for a full disk, stays marked and out of sight, and goes with the next start.
      if (this.isUnfinished(founded.id)) await this.#erase(founded.id).catch(() => undefined);
      throw error;
    }
  }

  async #carry(
    old: SharedWorkspace,
    founded: SharedWorkspace,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<Carried> {
    const tools = await this.#furnish(old, founded);
    const totalBytes = tools.reduce((sum, { files }) => sum + (files?.from.bytes ?? 0), 0);
    const absent: string[] = [];
    let [files, folders, bytes, posts] = [0, 0, 0, 0];
    for (const tool of tools) {
      const { name } = tool;
      await tool.files?.from.carryInto(tool.files.into, signal, (carried) => {
        if (carried.kind === 'folder') folders++;
        else if (carried.kind === 'absent') absent.push(`${name}/${carried.path}`);
        else [files, bytes] = [files + 1, bytes + carried.bytes];
        onProgress({ doneFiles: files, doneBytes: bytes, totalBytes, current: `${name}/${carried.path}` });
      });
      await tool.chat?.from.carryInto(tool.chat.into, this.#hub.clock.now(), signal, (more) => {
        posts += more;
        onProgress({ doneFiles: files, doneBytes: bytes, totalBytes, current: name });
      });
      if (signal.aborted) throw new ServiceError('cancelled', {});
    }
    return { files, folders, bytes, posts, absent };
  }

  /** The same tools, and what managers have permitted. */
  async #furnish(old: SharedWorkspace, founded: SharedWorkspace) {
    const { crypto, index } = this.#hub;
    const tools = [...old.roster.tools.values()].map(({ tool: before, kind, name }) => {
      const tool = toHex(crypto.randomBytes(TOOL_ID_BYTES)) as ToolId;
      const files = (workspace: SharedWorkspace, id: ToolId) => new Files(workspace, id, this.#options.cache);
      const chat = (workspace: SharedWorkspace, id: ToolId) => new Chat(workspace, id, index);
      const entry: Entry = { tool: undefined, kind: 'addTool', body: controlBody.addTool(tool, kind, name) };
      return {
        ...{ name, entry, before, tool },
        files: kind === 'files' ? { from: files(old, before), into: files(founded, tool) } : undefined,
        chat: kind === 'chat' ? { from: chat(old, before), into: chat(founded, tool) } : undefined,
      };
    });
    const anew = new Map<string, ToolId>(tools.map(({ before, tool }) => [before, tool]));
    const settings = permissionsOf(this.#hub, old).flatMap((one) => settingFor(one, anew) ?? []);
    const entries = [...tools.map(({ entry }) => entry), ...settings];
    if (entries.length > 0) await founded.author(entries);
    return tools;
  }

  // ---- taking along -----------------------------------------------------------------------------------------------------

  /** Each in the role that he has, by an invitation that is his: nobody is asked about him again when he comes. */
  async #invite(
    old: SharedWorkspace,
    founded: SharedWorkspace,
    members: readonly Member[],
    scheme: string,
  ): Promise<readonly (InvitedMember & Taken)[]> {
    const inviting: Inviting = this.#workspaces.find(founded.id).inviting;
    const invited: (InvitedMember & Taken)[] = [];
    for (const { account, name, role: rank } of members) {
      const role = ROLE_NAMES[rank]!;
      const { id, link } = await inviting.inviteMember(account, { role, expiresInMs: INVITED_FOR_MS, scheme });
      const text = link.slice(link.indexOf('#') + 1);
      const taken: Taken = {
        ...{ into: founded.id, account, from: old.id, invite: id as DeltaId, text, isAtRelay: false },
      };
      this.#keep(taken);
      invited.push({ ...taken, name, link, told: false });
    }
    return invited;
  }

  async #tellAll(into: WorkspaceId, invited: readonly (InvitedMember & Taken)[]): Promise<readonly InvitedMember[]> {
    const told = new Map<AccountId, boolean>();
    for (const taken of this.#taken())
      if (taken.into === into) told.set(taken.account, (await this.#tell(taken)).isTold);
    await this.#hub.commit([]);
    return invited.map(({ account, name, link }) => ({ account, name, link, told: told.get(account) ?? false }));
  }

  /** A path is open: who is not in yet hears it, were it again. Of a device, if it is of one of them. */
  async retell(device?: DeviceId): Promise<void> {
    let isChanged = false;
    for (const taken of this.#taken()) {
      if (!this.#isWanted(taken)) {
        this.#hub.local.drop(takenKey(taken));
        isChanged = true;
      } else if ((await this.#tell(taken, device)).isNews) isChanged = true;
    }
    if (isChanged) await this.#hub.commit([]);
  }

  /**
   * To his devices that can be told now. Answers whether any was, by now or before, and whether that is to be written down.
   */
  async #tell(taken: Taken, only?: DeviceId): Promise<{ readonly isTold: boolean; readonly isNews: boolean }> {
    const old = this.#workspaces.get(taken.from)?.workspace;
    const devices = old?.roster.members.get(taken.account)?.devices ?? [];
    let { isAtRelay } = taken;
    let isTold = isAtRelay;
    for (const { certificate } of devices) {
      const { device } = certificate;
      if (only !== undefined && device !== only) continue;
      if (isAtRelay && this.#hub.transport.reach(device) !== 'direct') continue;
      const path = await old!.tellContinued(device, taken.text);
      isTold = path !== undefined || isTold;
      isAtRelay = path === 'relay' || isAtRelay;
    }
    const isNews = isAtRelay && !taken.isAtRelay;
    if (isNews) this.#keep({ ...taken, isAtRelay });
    return { isTold, isNews };
  }

  /** He does not come along: he is asked no more, and who has asked him is told, once. His invitation is as good as it was. */
  async declined(account: AccountId, from: WorkspaceId, into: WorkspaceId): Promise<void> {
    const taken = this.#taken().find((one) => one.account === account && one.from === from && one.into === into);
    if (!taken || !this.#isWanted(taken)) return;
    this.#hub.local.drop(takenKey(taken));
    await this.#hub.commit([]);
    const member = this.#workspaces.get(from)?.workspace.nameOf(account) ?? '';
    const detail = { name: this.#workspaces.find(into).workspace.roster.name, member };
    this.#hub.emit({ type: 'notice', code: 'offerDeclined', workspace: into, detail });
  }

  /** He is not in yet, and could come. */
  #isWanted({ into, account, invite }: Taken): boolean {
    const roster = this.#workspaces.get(into)?.workspace.roster;
    const record = roster?.invites.get(invite);
    if (!roster || !record || roster.members.has(account)) return false;
    return !record.revoked && record.usesLeft > 0 && record.expires >= this.#hub.clock.now();
  }

  // ---- keeping ----------------------------------------------------------------------------------------------------------

  #keep(taken: Taken): void {
    const { from, invite, text, isAtRelay } = taken;
    this.#hub.local.put(takenKey(taken), [fromHex(from)!, fromHex(invite)!, text, isAtRelay]);
  }

  #taken(): readonly Taken[] {
    return [...this.#hub.local.under('taken/')].flatMap(([key, value]) => readTaken(key, value) ?? []);
  }

  /** The mark goes last: whatever happens in between is gone on with at the next start. */
  async #erase(id: WorkspaceId): Promise<void> {
    const workspace = this.#workspaces.get(id)?.workspace;
    if (workspace) {
      this.#workspaces.letGo(workspace);
      await eraseCopy(this.#hub, workspace);
      await this.#hub.commit([]);
      // Two generations are kept on the disk: after the second nothing of it is left.
      await this.#options.compact();
      await this.#options.compact();
    }
    this.#hub.local.drop(unfinishedKey(id));
    await this.#hub.commit([]);
    this.#hub.changed();
  }
}

/** Undefined where nothing is to be said: it is the default, or, of one tool, as for all of its kind. */
function settingFor(one: PermissionInfo, anew: ReadonlyMap<string, ToolId>): Entry | undefined {
  const { scope, tool: before, action, role, allowed, otherwise, own } = one;
  const tool = before === undefined ? undefined : anew.get(before);
  const isSaid = tool === undefined ? allowed !== otherwise : own;
  const body = controlBody.setPerm(tool === undefined ? scope : { tool }, action, Role[role], allowed);
  return isSaid ? { tool: undefined, kind: 'setPerm', body } : undefined;
}

/** Throws ServiceError('notFound'), for oneself, too. */
function memberOf(old: SharedWorkspace, account: string): Member {
  const member = old.roster.members.get(account as AccountId);
  if (!member || account === old.self?.account) throw new ServiceError('notFound', {});
  return member;
}

function unfinishedKey(id: WorkspaceId): string {
  return `continuing/${id}`;
}

function takenKey({ into, account }: Pick<Taken, 'into' | 'account'>): string {
  return `taken/${into}/${account}`;
}

function readTaken(key: string, value: Value): Taken | undefined {
  const [into, account] = key.split('/') as [WorkspaceId, AccountId];
  const f = asArray(value, 4);
  const [from, invite] = [asBytes(f?.[0], 32), asBytes(f?.[1], 32)];
  const [text, isAtRelay] = [asText(f?.[2], MAX_SEALED_INVITATION_BYTES), asFlag(f?.[3])];
  if (!from || !invite || text === undefined || isAtRelay === undefined) return undefined;
  return {
    ...{ into, account, text, isAtRelay },
    from: toHex(from) as WorkspaceId,
    invite: toHex(invite) as DeltaId,
  };
}
