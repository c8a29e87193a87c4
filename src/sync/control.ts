/**
 * Control deltas (section 3): the ones with no tool. Their bodies, read once and typed. An unknown kind reads as undefined
 * (D10: kept, counted in past, without effect here).
 *
 * | kind | body |
 * | --- | --- |
 * | genesis | [workspace name, member name, [certificate …], epoch notice, salt 16] |
 * | admit | [account 32, role, member name, [certificate …], invite id 0 or 32, epoch notice, cut and root or null] |
 * | setRole | [account 32, role] |
 * | remove | [account 32, epoch notice or null] |
 * | leave | [] |
 * | setPerm | ["workspace", tool kind, or tool 8; action, role, allow or null: as the wider scope says] |
 * | invite | [one-time public key 32, seal key 32, role, expires, uses, confirm] |
 * | revoke | [invite id 32] |
 * | addTool | [tool 8, kind, name] |
 * | renameTool | [tool 8, name] |
 * | deleteTool | [tool 8] |
 * | rename | [workspace name] |
 * | profile | [member name, relay address of this device, its name or empty] |
 * | epoch | [epoch notice] (K3) |
 * | addDevice | [account 32, [certificate …], epoch notice] (I4, L7) |
 * | removeDevice | [[device 32 …], epoch notice] (K2): its past is the cut |
 * | drop | [[device 32 …], epoch notice] (L7): its past is the cut, membership stays |
 * | freeze | [device 32, [[generation, seq] …] that are kept, epoch notice] (D8) |
 * | checkpoint | [cut and root] (L6) |
 * | deleteWorkspace | [] (A8) |
 * | ack | [] — names heads: how far its author holds all (L4), and so that deps stay few (D5) |
 *
 * cut and root = [[[device 32, generation, seq] …], state root 32].
 */
import { toHex } from '../base/bytes.ts';
import type { AccountId, DeltaId, DeviceId, FeedId, ToolId } from '../base/ids.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asBytes, asCount, asFlag, asList, asText, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESS_BYTES, MAX_DEVICES, MAX_FEED_GENERATION, MAX_NAME_BYTES } from '../protocol/limits.ts';
import { feedOf, generationOf, TOOL_ID_BYTES, idBytes, type Delta } from './delta.ts';
import { readEpochNotice, type EpochNotice } from './epoch.ts';

export const Role = { manager: 0, participant: 1, guest: 2 } as const;
/** Lower is senior (A1). */
export type Role = (typeof Role)[keyof typeof Role];

/** What a manager permits or denies something in: the workspace, all tools of a kind, or one tool. */
export type SettingScope = string | { readonly tool: ToolId };

export type Control =
  | {
      readonly kind: 'genesis';
      readonly workspaceName: string;
      readonly memberName: string;
      readonly certificates: readonly Certificate[];
      readonly epoch: EpochNotice;
    }
  | {
      readonly kind: 'admit';
      readonly account: AccountId;
      readonly role: Role;
      readonly memberName: string;
      readonly certificates: readonly Certificate[];
      readonly invite: DeltaId | undefined;
      readonly epoch: EpochNotice;
      /** Of the base that the admitter serves. */
      readonly seen: CutAndRoot | undefined;
    }
  | { readonly kind: 'setRole'; readonly account: AccountId; readonly role: Role }
  | { readonly kind: 'remove'; readonly account: AccountId; readonly epoch: EpochNotice | undefined }
  | { readonly kind: 'leave' }
  | {
      readonly kind: 'setPerm';
      readonly scope: SettingScope;
      readonly action: string;
      readonly role: Role;
      /** Undefined: as the wider scope says, which of one tool is its kind, and of all else the default. */
      readonly allow: boolean | undefined;
    }
  | {
      readonly kind: 'invite';
      readonly publicKey: Uint8Array;
      readonly sealKey: Uint8Array;
      readonly role: Role;
      readonly expires: number;
      readonly uses: number;
      readonly confirm: boolean;
    }
  | { readonly kind: 'revoke'; readonly invite: DeltaId }
  | { readonly kind: 'addTool'; readonly tool: ToolId; readonly toolKind: string; readonly name: string }
  | { readonly kind: 'renameTool'; readonly tool: ToolId; readonly name: string }
  | { readonly kind: 'deleteTool'; readonly tool: ToolId }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'profile'; readonly name: string; readonly relay: string; readonly deviceName: string }
  | { readonly kind: 'epoch'; readonly epoch: EpochNotice }
  | {
      readonly kind: 'addDevice';
      readonly account: AccountId;
      readonly certificates: readonly Certificate[];
      readonly epoch: EpochNotice;
    }
  | { readonly kind: 'removeDevice' | 'drop'; readonly devices: readonly DeviceId[]; readonly epoch: EpochNotice }
  | {
      readonly kind: 'freeze';
      readonly device: DeviceId;
      /** Highest seq of each of its feeds that stands; of others nothing does. */
      readonly kept: ReadonlyMap<FeedId, number>;
      readonly epoch: EpochNotice;
    }
  | { readonly kind: 'checkpoint'; readonly seen: CutAndRoot }
  | { readonly kind: 'deleteWorkspace' }
  | { readonly kind: 'ack' };

/** A state, by what is folded in it and what it adds up to (L6). */
export interface CutAndRoot {
  readonly cut: ReadonlyMap<FeedId, number>;
  readonly root: Uint8Array;
}

const SALT_BYTES = 16;
/** Feeds of a workspace: every device's, with a few generations each. A word that names more is void: nobody is to write it. */
export const MAX_CUT_FEEDS = 1024;
const MAX_USES = 1000;
const MAX_WORD = 32;
/** Fields of each body: one more or one fewer is another body, which nobody knows (D4). */
const FIELDS: ReadonlyMap<string, number> = new Map<Control['kind'], number>([
  ['genesis', 5],
  ['admit', 7],
  ['setRole', 2],
  ['remove', 2],
  ['leave', 0],
  ['setPerm', 4],
  ['invite', 6],
  ['revoke', 1],
  ['addTool', 3],
  ['renameTool', 2],
  ['deleteTool', 1],
  ['rename', 1],
  ['profile', 3],
  ['epoch', 1],
  ['addDevice', 3],
  ['removeDevice', 2],
  ['drop', 2],
  ['freeze', 3],
  ['checkpoint', 1],
  ['deleteWorkspace', 0],
  ['ack', 0],
]);

/** D10: others are of a newer version. */
export function isKnownControl(kind: string): boolean {
  return FIELDS.has(kind);
}

/** Bodies for authors, beside their readers. */
export const controlBody = {
  genesis: (
    name: string,
    memberName: string,
    certificates: readonly Certificate[],
    epoch: Value,
    salt: Uint8Array,
  ): Value => [name, memberName, certificates.map((c) => c.bytes), epoch, salt],
  admit: (
    account: AccountId,
    role: Role,
    name: string,
    certificates: readonly Certificate[],
    invite: DeltaId | undefined,
    epoch: Value,
    seen?: CutAndRoot,
  ): Value => [
    idBytes(account),
    role,
    name,
    certificates.map((c) => c.bytes),
    invite === undefined ? new Uint8Array(0) : idBytes(invite),
    epoch,
    seen === undefined ? null : cutAndRootValue(seen),
  ],
  setRole: (account: AccountId, role: Role): Value => [idBytes(account), role],
  remove: (account: AccountId, epoch: Value): Value => [idBytes(account), epoch],
  leave: (): Value => [],
  setPerm: (scope: SettingScope, action: string, role: Role, allow: boolean | undefined): Value => [
    typeof scope === 'string' ? scope : idBytes(scope.tool),
    action,
    role,
    allow ?? null,
  ],
  invite: (
    publicKey: Uint8Array,
    sealKey: Uint8Array,
    role: Role,
    expires: number,
    uses: number,
    confirm: boolean,
  ): Value => [publicKey, sealKey, role, expires, uses, confirm],
  revoke: (invite: DeltaId): Value => [idBytes(invite)],
  addTool: (tool: ToolId, kind: string, name: string): Value => [idBytes(tool), kind, name],
  renameTool: (tool: ToolId, name: string): Value => [idBytes(tool), name],
  deleteTool: (tool: ToolId): Value => [idBytes(tool)],
  rename: (name: string): Value => [name],
  profile: (name: string, relay: string, deviceName = ''): Value => [name, relay, deviceName],
  epoch: (epoch: Value): Value => [epoch],
  addDevice: (account: AccountId, certificates: readonly Certificate[], epoch: Value): Value => [
    idBytes(account),
    certificates.map((c) => c.bytes),
    epoch,
  ],
  /** Of `removeDevice` and `drop`. */
  devices: (devices: readonly DeviceId[], epoch: Value): Value => [devices.map(idBytes), epoch],
  freeze: (device: DeviceId, kept: ReadonlyMap<FeedId, number>, epoch: Value): Value => [
    idBytes(device),
    [...kept].map(([feed, seq]) => [generationOf(feed), seq]),
    epoch,
  ],
  checkpoint: (seen: CutAndRoot): Value => [cutAndRootValue(seen)],
  deleteWorkspace: (): Value => [],
  ack: (): Value => [],
};

/** Of the devices that a word lets into a workspace that is there. */
export function certificatesIn(control: Control): readonly Certificate[] {
  return control.kind === 'admit' || control.kind === 'addDevice' ? control.certificates : [];
}

/** Kinds that may void what others have written. */
export const MAY_VOID: ReadonlySet<string> = new Set([
  'remove',
  'setRole',
  'setPerm',
  'removeDevice',
  'freeze',
  'drop',
]);

/** The devices that a word takes out by themselves, without their person (A4). */
export function takenOutBy(control: Control): readonly DeviceId[] {
  if (control.kind === 'freeze') return [control.device];
  return control.kind === 'removeDevice' || control.kind === 'drop' ? control.devices : [];
}

/** Whether a delta, if it stands, takes out a device, or its person. */
export function takesOut(crypto: Crypto, delta: Delta, device: DeviceId, account: AccountId): boolean {
  if (!TAKES_OUT.has(delta.kind) || delta.tool !== undefined) return false;
  const control = readControl(crypto, delta);
  if (control?.kind === 'remove') return control.account === account;
  return control !== undefined && takenOutBy(control).includes(device);
}

const TAKES_OUT: ReadonlySet<string> = new Set(['remove', 'removeDevice', 'freeze', 'drop']);

/** Undefined for a body that breaks its form (void, D9) and for a kind that is not known (D10). A delta does not change: read once. */
export function readControl(crypto: Crypto, delta: Delta): Control | undefined {
  let known = controls.get(delta);
  if (!known) controls.set(delta, (known = { control: readBody(crypto, delta) }));
  return known.control;
}

const controls = new WeakMap<Delta, { readonly control: Control | undefined }>();

function readBody(crypto: Crypto, delta: Delta): Control | undefined {
  const count = FIELDS.get(delta.kind);
  const f = count === undefined ? undefined : asArray(delta.body, count);
  if (!f || delta.tool !== undefined) return undefined;
  switch (delta.kind) {
    case 'genesis': {
      const [name, memberName, certificates] = [asName(f[0]), asName(f[1]), readCertificates(crypto, f[2])];
      const epoch = readEpochNotice(f[3]);
      if (name === undefined || memberName === undefined || !certificates || !epoch || !asBytes(f[4], SALT_BYTES))
        return undefined;
      return { kind: 'genesis', workspaceName: name, memberName, certificates, epoch };
    }
    case 'admit': {
      const [account, role, memberName] = [asAccount(f[0]), asRole(f[1]), asName(f[2])];
      const [certificates, invite, epoch] = [
        readCertificates(crypto, f[3]),
        asBytes(f[4], 0) ?? asBytes(f[4], KEY_BYTES),
        readEpochNotice(f[5]),
      ];
      if (!account || role === undefined || memberName === undefined || !certificates || !invite || !epoch)
        return undefined;
      if (certificates.some((c) => c.account !== account)) return undefined;
      const cited = invite.length === 0 ? undefined : (toHex(invite) as DeltaId);
      const seen = f[6] === null ? undefined : readCutAndRoot(f[6]);
      if (!seen && f[6] !== null) return undefined;
      return { kind: 'admit', account, role, memberName, certificates, invite: cited, epoch, seen };
    }
    case 'setRole': {
      const [account, role] = [asAccount(f[0]), asRole(f[1])];
      return account && role !== undefined ? { kind: 'setRole', account, role } : undefined;
    }
    case 'remove': {
      const account = asAccount(f[0]);
      const epoch = f[1] === null ? undefined : readEpochNotice(f[1]);
      if (!account || (!epoch && f[1] !== null)) return undefined;
      return { kind: 'remove', account, epoch };
    }
    case 'leave':
      return { kind: 'leave' };
    case 'setPerm': {
      const [scope, action, role, allow] = [asScope(f[0]), asText(f[1], MAX_WORD), asRole(f[2]), asFlag(f[3])];
      if (scope === undefined || action === undefined || role === undefined) return undefined;
      if (allow === undefined && f[3] !== null) return undefined;
      return { kind: 'setPerm', scope, action, role, allow };
    }
    case 'invite': {
      const [publicKey, sealKey, role] = [asBytes(f[0], KEY_BYTES), asBytes(f[1], KEY_BYTES), asRole(f[2])];
      const [expires, uses, confirm] = [asCount(f[3]), asCount(f[4], MAX_USES), asFlag(f[5])];
      if (!publicKey || !sealKey || role === undefined || expires === undefined || !uses || confirm === undefined)
        return undefined;
      return { kind: 'invite', publicKey, sealKey, role, expires, uses, confirm };
    }
    case 'revoke': {
      const invite = asBytes(f[0], KEY_BYTES);
      return invite && { kind: 'revoke', invite: toHex(invite) as DeltaId };
    }
    case 'addTool': {
      const [tool, toolKind, name] = [asTool(f[0]), asText(f[1], MAX_WORD), asName(f[2])];
      return tool && toolKind !== undefined && name !== undefined
        ? { kind: 'addTool', tool, toolKind, name }
        : undefined;
    }
    case 'renameTool': {
      const [tool, name] = [asTool(f[0]), asName(f[1])];
      return tool && name !== undefined ? { kind: 'renameTool', tool, name } : undefined;
    }
    case 'deleteTool': {
      const tool = asTool(f[0]);
      return tool && { kind: 'deleteTool', tool };
    }
    case 'rename': {
      const name = asName(f[0]);
      return name === undefined ? undefined : { kind: 'rename', name };
    }
    case 'profile': {
      const [name, relay, deviceName] = [asName(f[0]), asText(f[1], MAX_ADDRESS_BYTES), asText(f[2], MAX_NAME_BYTES)];
      return name !== undefined && relay !== undefined && deviceName !== undefined
        ? { kind: 'profile', name, relay, deviceName }
        : undefined;
    }
    case 'epoch': {
      const epoch = readEpochNotice(f[0]);
      return epoch && { kind: 'epoch', epoch };
    }
    case 'addDevice': {
      const [account, certificates, epoch] = [asAccount(f[0]), readCertificates(crypto, f[1]), readEpochNotice(f[2])];
      if (!account || !epoch || certificates?.[0]?.account !== account) return undefined;
      return { kind: 'addDevice', account, certificates, epoch };
    }
    case 'removeDevice':
    case 'drop': {
      const [devices, epoch] = [asList(f[0], MAX_DEVICES, asDevice), readEpochNotice(f[1])];
      if (!devices || devices.length === 0 || new Set(devices).size < devices.length || !epoch) return undefined;
      return { kind: delta.kind, devices, epoch };
    }
    case 'freeze': {
      const device = asDevice(f[0]);
      const kept = device && readKept(device, f[1]);
      const epoch = readEpochNotice(f[2]);
      return device && kept && epoch && { kind: 'freeze', device, kept, epoch };
    }
    case 'checkpoint': {
      const seen = readCutAndRoot(f[0]);
      return seen && { kind: 'checkpoint', seen };
    }
    case 'deleteWorkspace':
      return { kind: 'deleteWorkspace' };
    case 'ack':
      return { kind: 'ack' };
    default:
      return undefined;
  }
}

function asName(value: Value | undefined): string | undefined {
  const name = asText(value, MAX_NAME_BYTES);
  return name === undefined || name.trim() === '' ? undefined : name;
}

function asAccount(value: Value | undefined): AccountId | undefined {
  const bytes = asBytes(value, KEY_BYTES);
  return bytes && (toHex(bytes) as AccountId);
}

function asDevice(value: Value | undefined): DeviceId | undefined {
  const bytes = asBytes(value, KEY_BYTES);
  return bytes && (toHex(bytes) as DeviceId);
}

/**
 * D8: how far each feed of a device stands in what is here, for a freeze of it. Of more than a word holds those in which most was
 * written: a device that begins feeds without end can be frozen like any other.
 */
export function headsKept(standing: ReadonlyMap<FeedId, number>, device: DeviceId): ReadonlyMap<FeedId, number> {
  const own = [...standing].filter(([feed]) => feed.startsWith(device));
  const longest = own.toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return new Map(longest.slice(0, MAX_CUT_FEEDS));
}

function readKept(device: DeviceId, value: Value | undefined): ReadonlyMap<FeedId, number> | undefined {
  const heads = asList(value, MAX_CUT_FEEDS, (entry) => {
    const f = asArray(entry, 2);
    const [generation, seq] = [asCount(f?.[0], MAX_FEED_GENERATION), asCount(f?.[1])];
    return generation !== undefined && seq ? ([feedOf(device, generation), seq] as const) : undefined;
  });
  return uniqueFeeds(heads);
}

function uniqueFeeds(
  entries: readonly (readonly [FeedId, number])[] | undefined,
): ReadonlyMap<FeedId, number> | undefined {
  const feeds = entries && new Map(entries);
  return feeds?.size === entries?.length ? feeds : undefined;
}

function cutAndRootValue({ cut, root }: CutAndRoot): Value {
  const feeds = [...cut].sort(([a], [b]) => (a < b ? -1 : 1));
  return [feeds.map(([feed, seq]) => [idBytes(feed.slice(0, feed.indexOf('.'))), generationOf(feed), seq]), root];
}

function readCutAndRoot(value: Value | undefined): CutAndRoot | undefined {
  const f = asArray(value, 2);
  const root = asBytes(f?.[1], KEY_BYTES);
  const entries = asList(f?.[0], MAX_CUT_FEEDS, (entry) => {
    const e = asArray(entry, 3);
    const [device, generation] = [asDevice(e?.[0]), asCount(e?.[1], MAX_FEED_GENERATION)];
    const seq = asCount(e?.[2]);
    return device && generation !== undefined && seq ? ([feedOf(device, generation), seq] as const) : undefined;
  });
  const cut = uniqueFeeds(entries);
  return cut && root && { cut, root };
}

function asTool(value: Value | undefined): ToolId | undefined {
  const bytes = asBytes(value, TOOL_ID_BYTES);
  return bytes && (toHex(bytes) as ToolId);
}

/** A word is never taken for a tool: one is text, the other bytes. */
function asScope(value: Value | undefined): SettingScope | undefined {
  const tool = asTool(value);
  return tool === undefined ? asText(value, MAX_WORD) : { tool };
}

function asRole(value: Value | undefined): Role | undefined {
  return asCount(value, Role.guest) as Role | undefined;
}

/** At least one; all of one account, each once, all sound (I1). */
function readCertificates(crypto: Crypto, value: Value | undefined): readonly Certificate[] | undefined {
  const certificates = asList(value, MAX_DEVICES, (entry) => {
    const bytes = asBytes(entry, 1, MAX_CERTIFICATE_BYTES);
    const certificate = bytes && readCertificate(crypto, bytes);
    return certificate?.ok ? certificate.value : undefined;
  });
  if (!certificates || certificates.length === 0) return undefined;
  const oneAccount = certificates.every((c) => c.account === certificates[0]!.account);
  return oneAccount && new Set(certificates.map((c) => c.device)).size === certificates.length
    ? certificates
    : undefined;
}
