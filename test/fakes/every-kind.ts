/**
 * One sound example at least of every kind of what members write and say, the same in every run: what is asked of all kinds is asked
 * of these. A kind that is added without an example fails where they are counted.
 */
import { toHex } from '../../src/base/bytes.ts';
import type { AccountId, ChunkId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { controlBody, Role, type Control } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { boxEpoch, epochOf, readEpochNotice } from '../../src/sync/epoch.ts';
import { markOf, type Message } from '../../src/sync/messages.ts';
import type { ChatDelta } from '../../src/tools/chat/deltas.ts';
import type { ChunkRef, Content } from '../../src/tools/files/content.ts';
import type { FilesDelta } from '../../src/tools/files/deltas.ts';
import { seededRandom } from './seeded-random.ts';

const crypto = nodeCrypto(seededRandom('every kind'));
const bytesOf = (length: number) => crypto.randomBytes(length);
const id = <T extends string>(length = 32) => toHex(bytesOf(length)) as T;

const TIME = 1_800_000_000_000;
const RELAY = 'coterie-relay://relay.example:2492/key';
const ADDRESSES = ['192.168.1.7:2492', '[fe80::1]:2492'];

const agreementSecret = bytesOf(32);
const certificate = issueCertificate(crypto, bytesOf(32), {
  signingSeed: bytesOf(32),
  agreementKey: crypto.agreementKeyOf(agreementSecret),
  name: '',
  created: TIME,
});
const { account, device } = certificate;
const boxes = boxEpoch(crypto, epochOf(crypto, bytesOf(32)), [{ device, agreementKey: certificate.agreementKey }]);
const notice = readEpochNotice(boxes)!;
const seen = {
  cut: new Map([
    [feedOf(device, 0), 3],
    [feedOf(id<DeviceId>(), 2), 70_000],
  ]),
  root: bytesOf(32),
};

export const CONTROL_BODIES: Readonly<Record<Control['kind'], Value>> = {
  genesis: controlBody.genesis('Apollo', 'Alice', [certificate], boxes, bytesOf(16)),
  admit: controlBody.admit(account, Role.guest, 'Bob', [certificate], id<DeltaId>(), boxes, seen),
  setRole: controlBody.setRole(id<AccountId>(), Role.guest),
  remove: controlBody.remove(id<AccountId>(), boxes),
  leave: controlBody.leave(),
  setPerm: controlBody.setPerm('chat', 'add', Role.guest, true),
  invite: controlBody.invite(bytesOf(32), bytesOf(32), Role.guest, TIME, 3, true),
  revoke: controlBody.revoke(id<DeltaId>()),
  addTool: controlBody.addTool(id<ToolId>(8), 'chat', 'Chat'),
  renameTool: controlBody.renameTool(id<ToolId>(8), 'Talk'),
  deleteTool: controlBody.deleteTool(id<ToolId>(8)),
  rename: controlBody.rename('Gemini'),
  profile: controlBody.profile('Alice', RELAY, 'Desk'),
  epoch: controlBody.epoch(boxes),
  addDevice: controlBody.addDevice(account, [certificate], boxes),
  removeDevice: controlBody.devices([device], boxes),
  drop: controlBody.devices([device, id<DeviceId>()], boxes),
  freeze: controlBody.freeze(device, new Map([[feedOf(device, 2), 7]]), boxes),
  checkpoint: controlBody.checkpoint(seen),
  deleteWorkspace: controlBody.deleteWorkspace(),
  ack: controlBody.ack(),
};

const vector = [
  markOf(feedOf(id<DeviceId>(), 0), 7, id<DeltaId>()),
  markOf(feedOf(id<DeviceId>(), 3), 1, id<DeltaId>()),
];

export const MESSAGES: readonly Message[] = [
  { kind: 'deltas', runs: [[bytesOf(9), bytesOf(7)], [bytesOf(4)]] },
  { kind: 'have', vector, answer: true, root: id(8), needsCopy: false },
  { kind: 'have', vector: [], answer: false, root: '', needsCopy: false },
  { kind: 'got', heads: [{ device: id(8), generation: 3, seq: 7 }] },
  { kind: 'want', chunks: [id<ChunkId>(), id<ChunkId>()] },
  { kind: 'chunks', chunks: [{ id: id<ChunkId>(), bytes: bytesOf(10) }], absent: [id<ChunkId>()] },
  {
    kind: 'parcels',
    parcels: [{ relay: RELAY, parcel: bytesOf(32), chunks: [{ id: id<ChunkId>(), offset: 0, length: 9 }] }],
  },
  { kind: 'presence', state: 1, addresses: ADDRESSES, answer: false },
  {
    kind: 'join',
    certificate: certificate.bytes,
    name: 'Bob',
    relay: '',
    addresses: ADDRESSES,
    since: [id<DeltaId>()],
    signature: bytesOf(64),
  },
  { kind: 'welcome', admit: bytesOf(30), total: 12, certificate: certificate.bytes },
  { kind: 'declined', reason: 3, to: '0123456789abcdef' },
  { kind: 'needKey', epoch: id(8) },
  { kind: 'key', notice },
  { kind: 'fetch', ids: [id<DeltaId>(), id<DeltaId>()] },
  { kind: 'needBase', root: new Uint8Array(0), part: 0 },
  { kind: 'needBase', root: bytesOf(32), part: 3 },
  { kind: 'base', root: bytesOf(32), part: 3, parts: 4, bytes: bytesOf(9) },
  { kind: 'account', seed: bytesOf(32) },
  {
    kind: 'devices',
    devices: [{ certificate: certificate.bytes, name: 'Laptop', relay: '', addresses: ADDRESSES }],
  },
  { kind: 'workspace', workspace: id<WorkspaceId>(), name: 'Apollo', admit: bytesOf(30), total: 12 },
  { kind: 'nameDevice', name: 'The big one' },
  { kind: 'continued', sealed: bytesOf(70) },
  { kind: 'folded', places: [{ id: 'ab'.repeat(32) as DeltaId, feed: feedOf(device, 3), seq: 9 }] },
  { kind: 'out', workspace: id<WorkspaceId>(), word: bytesOf(30) },
  { kind: 'out', workspace: id<WorkspaceId>(), word: new Uint8Array(0) },
  { kind: 'askAnew', since: [id<DeltaId>(), id<DeltaId>()] },
];

const [older, newer] = [id(8), id(8)];
const CHUNKS: readonly ChunkRef[] = [
  { generation: older, id: id<ChunkId>(), bytes: 70_000 },
  { generation: newer, id: id<ChunkId>(), bytes: 300_000 },
  { generation: older, id: id<ChunkId>(), bytes: 1 },
];

export const CONTENTS: readonly Content[] = [
  { kind: 'chunks', bytes: 0, sha256: bytesOf(32), chunks: [], indirect: false },
  { kind: 'chunks', bytes: 370_001, sha256: bytesOf(32), chunks: CHUNKS, indirect: false },
  { kind: 'chunks', bytes: 2 ** 31, sha256: bytesOf(32), chunks: CHUNKS.slice(0, 1), indirect: true },
  { kind: 'patch', bytes: 4_000, sha256: bytesOf(32), patch: bytesOf(50) },
];

export const FILES_DELTAS: readonly FilesDelta[] = [
  { kind: 'file', parent: undefined, name: 'a.ts', content: CONTENTS[1]! },
  { kind: 'file', parent: id<DeltaId>(), name: 'ünï 😀.md', content: CONTENTS[0]! },
  { kind: 'folder', parent: id<DeltaId>(), name: 'src' },
  { kind: 'ver', parents: [id<DeltaId>()], content: CONTENTS[3]! },
  { kind: 'ver', parents: [id<DeltaId>(), id<DeltaId>()], content: CONTENTS[2]! },
  { kind: 'del', parents: [id<DeltaId>(), id<DeltaId>()] },
  { kind: 'move', item: id<DeltaId>(), parent: undefined, name: 'b.ts' },
];

export const CHAT_DELTAS: readonly ChatDelta[] = [
  { kind: 'post', text: 'hello' },
  { kind: 'edit', post: id<DeltaId>(), text: 'hello 😀' },
  { kind: 'unpost', post: id<DeltaId>() },
  { kind: 'carry', text: 'was there', told: { account: id<AccountId>(), name: 'Bob', time: TIME } },
];

/** The other form of its kind: of one tool, and nothing of its own said. */
export const PERMISSION_OF_ONE_TOOL = controlBody.setPerm({ tool: id<ToolId>(8) }, 'edit', Role.participant, undefined);

/** A body or message with one field more, of several sorts, and with one fewer where it has any. */
export function withOtherCounts(value: Value): readonly Value[] {
  const fields = value as readonly Value[];
  const more = [null, 0, '', new Uint8Array(0), [], fields.at(-1) ?? true].map((field) => [...fields, field]);
  return fields.length > 0 ? [...more, fields.slice(0, -1)] : more;
}
