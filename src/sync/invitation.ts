/**
 * Invitations (N1, N2). The secret travels in the link alone; members learn what it derives.
 *
 * secret 32 → signing seed = HKDF(secret, "coterie invite sign 1"), seal key = HKDF(secret, "coterie invite seal 1"), and the
 * tag of messages under the seal key = first 8 bytes of HKDF(seal key, "coterie invite tag 1").
 *
 * The invitation itself is a checked text (`checked-text.ts`) of
 * `[0, workspace 32, invite delta 32, workspace name, inviter name, inviter account 32, role, expires, secret 32,
 *   [[device 32, relay address, [direct address …]] …]]`.
 */
import { concatBytes, toHex } from '../base/bytes.ts';
import { domain, FORMAT } from '../base/format.ts';
import type { AccountId, DeltaId, WorkspaceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asBytes, asCount, asList, asText, encode, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESSES, MAX_NAME_BYTES } from '../protocol/limits.ts';
import { readChecked, readRoute, routeValue, writeChecked } from './checked-text.ts';
import { Role } from './control.ts';
import { idBytes } from './delta.ts';
import type { SealKey } from './envelope.ts';
import { EPOCH_TAG_BYTES } from './epoch.ts';
import type { Route } from './ports.ts';

export interface Invitation {
  readonly workspace: WorkspaceId;
  readonly invite: DeltaId;
  readonly workspaceName: string;
  readonly inviterName: string;
  readonly inviter: AccountId;
  readonly role: Role;
  readonly expires: number;
  readonly secret: Uint8Array;
  /** Devices that may answer: the inviter's and the managers' (N2). */
  readonly routes: readonly Route[];
}

export interface InvitationKeys {
  readonly signingSeed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly seal: SealKey;
}

export type InvitationError = { readonly tag: 'notAnInvitation' | 'damaged' | 'newer' };

/** Windows hands on no longer command line, and so no longer link. */
const MAX_WRITTEN = 7_680;
const MAX_ROUTES = 16;
const NONE = new Uint8Array(0);
const JOIN_DOMAIN = domain('join');

export function invitationKeys(crypto: Crypto, secret: Uint8Array): InvitationKeys {
  const signingSeed = crypto.hkdfSha256(secret, NONE, domain('invite sign'), KEY_BYTES);
  const key = crypto.hkdfSha256(secret, NONE, domain('invite seal'), KEY_BYTES);
  return { signingSeed, publicKey: crypto.signingKeyOf(signingSeed), seal: invitationSeal(crypto, key) };
}

/** Members know the seal key from the invite delta. */
export function invitationSeal(crypto: Crypto, key: Uint8Array): SealKey {
  return { key, tag: toHex(crypto.hkdfSha256(key, NONE, domain('invite tag'), EPOCH_TAG_BYTES)) };
}

/** What a joiner signs with the invitation's one-time key (N2). `since`: the words by which he was out, if he was, after which he says it. */
export function joinSubject(
  workspace: WorkspaceId,
  invite: DeltaId,
  since: readonly DeltaId[],
  certificate: Uint8Array,
): Uint8Array {
  return concatBytes(JOIN_DOMAIN, idBytes(workspace), idBytes(invite), encode(since.map(idBytes)), certificate);
}

export function writeInvitation(crypto: Crypto, invitation: Invitation): string {
  let routes: readonly Route[] = invitation.routes.slice(0, MAX_ROUTES);
  routes = routes.map((route) => ({ ...route, addresses: route.addresses.slice(0, MAX_ADDRESSES) }));
  for (;;) {
    const text = writeWith(crypto, invitation, routes);
    const first = routes[0];
    if (text.length <= MAX_WRITTEN || !first) return text;
    // The first ways are the best: the last give way, then the last addresses of the one that is left.
    if (routes.length > 1) routes = routes.slice(0, -1);
    else routes = first.addresses.length > 0 ? [{ ...first, addresses: first.addresses.slice(0, -1) }] : [];
  }
}

function writeWith(crypto: Crypto, invitation: Invitation, routes: readonly Route[]): string {
  return writeChecked(crypto, [
    FORMAT,
    idBytes(invitation.workspace),
    idBytes(invitation.invite),
    invitation.workspaceName,
    invitation.inviterName,
    idBytes(invitation.inviter),
    invitation.role,
    invitation.expires,
    invitation.secret,
    routes.map(routeValue),
  ]);
}

/** Takes a whole link, the content of an invitation file, or the bare text. */
export function readInvitation(crypto: Crypto, text: string): Result<Invitation, InvitationError> {
  const read = readChecked(crypto, text);
  if (!read.ok) return err({ tag: read.error.tag === 'foreign' ? 'notAnInvitation' : 'damaged' });
  const fields = read.value;
  if (typeof fields[0] === 'number' && fields[0] > FORMAT) return err({ tag: 'newer' });
  const invitation = readFields(fields);
  return invitation ? ok(invitation) : err({ tag: 'damaged' });
}

function readFields(f: readonly Value[]): Invitation | undefined {
  const [workspace, invite, inviter] = [asBytes(f[1], KEY_BYTES), asBytes(f[2], KEY_BYTES), asBytes(f[5], KEY_BYTES)];
  const [workspaceName, inviterName] = [asText(f[3], MAX_NAME_BYTES), asText(f[4], MAX_NAME_BYTES)];
  const [role, expires, secret] = [
    asCount(f[6], Role.guest) as Role | undefined,
    asCount(f[7]),
    asBytes(f[8], KEY_BYTES),
  ];
  const routes = asList(f[9], MAX_ROUTES, readRoute);
  if (
    f.length !== 10 ||
    f[0] !== FORMAT ||
    !workspace ||
    !invite ||
    !inviter ||
    workspaceName === undefined ||
    inviterName === undefined
  )
    return undefined;
  if (role === undefined || expires === undefined || !secret || !routes) return undefined;
  return {
    workspace: toHex(workspace) as WorkspaceId,
    invite: toHex(invite) as DeltaId,
    workspaceName,
    inviterName,
    inviter: toHex(inviter) as AccountId,
    role,
    expires,
    secret,
    routes,
  };
}

const FILE_HEAD = '-----BEGIN COTERIE INVITATION-----';
const FILE_TAIL = '-----END COTERIE INVITATION-----';

/** Content of a `.coterie-invite` file. */
export function invitationFile(text: string): string {
  return `${FILE_HEAD}\n${text}\n${FILE_TAIL}\n`;
}
