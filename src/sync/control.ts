/**
 * Control deltas (section 3): the ones with no tool. Their bodies, read once and typed. An unknown kind reads as undefined
 * (D10: kept, counted in past, without effect here).
 *
 * | kind | body |
 * | --- | --- |
 * | genesis | [workspace name, member name, [certificate …], epoch notice, salt 16] |
 * | admit | [account 32, role, member name, [certificate …], invite id 0 or 32, epoch notice] |
 * | setRole | [account 32, role] |
 * | remove | [account 32, epoch notice or null] |
 * | leave | [] |
 * | setPerm | [tool kind or "workspace", action, role, allow] |
 * | invite | [one-time public key 32, seal key 32, role, expires, uses, confirm] |
 * | revoke | [invite id 32] |
 * | addTool | [tool 8, kind, name] |
 * | renameTool | [tool 8, name] |
 * | deleteTool | [tool 8] |
 * | rename | [workspace name] |
 * | profile | [member name, relay address of this device] |
 * | epoch | [epoch notice] (K3) |
 * | ack | [] — names heads, so that deps stay few (D5); without effect |
 */
import { toHex } from '../base/bytes.ts';
import type { AccountId, DeltaId, ToolId } from '../base/ids.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asBytes, asCount, asFlag, asList, asText, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESS_BYTES, MAX_DEVICES, MAX_NAME_BYTES } from '../protocol/limits.ts';
import { TOOL_ID_BYTES, idBytes, type Delta } from './delta.ts';
import { readEpochNotice, type EpochNotice } from './epoch.ts';

export const Role = { manager: 0, participant: 1, guest: 2 } as const;
/** Lower is senior (A1). */
export type Role = (typeof Role)[keyof typeof Role];

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
    }
  | { readonly kind: 'setRole'; readonly account: AccountId; readonly role: Role }
  | { readonly kind: 'remove'; readonly account: AccountId; readonly epoch: EpochNotice | undefined }
  | { readonly kind: 'leave' }
  | {
      readonly kind: 'setPerm';
      readonly scope: string;
      readonly action: string;
      readonly role: Role;
      readonly allow: boolean;
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
  | { readonly kind: 'profile'; readonly name: string; readonly relay: string }
  | { readonly kind: 'epoch'; readonly epoch: EpochNotice }
  | { readonly kind: 'ack' };

const SALT_BYTES = 16;
const MAX_USES = 1000;
const MAX_WORD = 32;

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
  ): Value => [
    idBytes(account),
    role,
    name,
    certificates.map((c) => c.bytes),
    invite === undefined ? new Uint8Array(0) : idBytes(invite),
    epoch,
  ],
  setRole: (account: AccountId, role: Role): Value => [idBytes(account), role],
  remove: (account: AccountId, epoch: Value): Value => [idBytes(account), epoch],
  leave: (): Value => [],
  setPerm: (scope: string, action: string, role: Role, allow: boolean): Value => [scope, action, role, allow],
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
  profile: (name: string, relay: string): Value => [name, relay],
  epoch: (epoch: Value): Value => [epoch],
  ack: (): Value => [],
};

/** Undefined for a body that breaks its form (void, D9) and for a kind that is not known (D10). */
export function readControl(crypto: Crypto, delta: Delta): Control | undefined {
  const f = asArray(delta.body, 0, 8);
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
        asBytes(f[4], 0, KEY_BYTES),
        readEpochNotice(f[5]),
      ];
      if (!account || role === undefined || memberName === undefined || !certificates || !invite || !epoch)
        return undefined;
      if (certificates.some((c) => c.account !== account)) return undefined;
      const cited = invite.length === 0 ? undefined : (toHex(invite) as DeltaId);
      return { kind: 'admit', account, role, memberName, certificates, invite: cited, epoch };
    }
    case 'setRole': {
      const [account, role] = [asAccount(f[0]), asRole(f[1])];
      return account && role !== undefined ? { kind: 'setRole', account, role } : undefined;
    }
    case 'remove': {
      const account = asAccount(f[0]);
      return account && { kind: 'remove', account, epoch: readEpochNotice(f[1]) };
    }
    case 'leave':
      return { kind: 'leave' };
    case 'setPerm': {
      const [scope, action, role, allow] = [asText(f[0], MAX_WORD), asText(f[1], MAX_WORD), asRole(f[2]), asFlag(f[3])];
      if (scope === undefined || action === undefined || role === undefined || allow === undefined) return undefined;
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
      const [name, relay] = [asName(f[0]), asText(f[1], MAX_ADDRESS_BYTES)];
      return name !== undefined && relay !== undefined ? { kind: 'profile', name, relay } : undefined;
    }
    case 'epoch': {
      const epoch = readEpochNotice(f[0]);
      return epoch && { kind: 'epoch', epoch };
    }
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

function asTool(value: Value | undefined): ToolId | undefined {
  const bytes = asBytes(value, TOOL_ID_BYTES);
  return bytes && (toHex(bytes) as ToolId);
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
