/** Vectors of what members write and say: deltas, bodies, messages, epochs, envelopes, invitations. */
import assert from 'node:assert/strict';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { readControl, Role } from '../../src/sync/control.ts';
import { checkSignature, readDelta, signDelta, type DeltaDraft } from '../../src/sync/delta.ts';
import { linkNumber, linkSubject, pairSeal, readLinkCode, writeLinkCode } from '../../src/sync/device-link.ts';
import { openMessage, sealMessage, type SealKey } from '../../src/sync/envelope.ts';
import { boxEpoch, capabilityOf, epochOf, openEpoch, readEpochNotice } from '../../src/sync/epoch.ts';
import { invitationKeys, joinSubject, readInvitation, writeInvitation } from '../../src/sync/invitation.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/sync/messages.ts';
import type { Path } from '../../src/sync/ports.ts';
import { safetyNumber } from '../../src/sync/safety-number.ts';
import { openSaid, sealSaid } from '../../src/sync/signed.ts';
import { returnSeal, returnSubject } from '../../src/sync/way-back.ts';
import { chatBody, readChatDelta } from '../../src/tools/chat/deltas.ts';
import { filesBody, readFilesDelta } from '../../src/tools/files/deltas.ts';
import { CHAT_DELTAS, CONTROL_BODIES, FILES_DELTAS, MESSAGES, PERMISSION_OF_ONE_TOOL } from '../fakes/every-kind.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { notation } from './notation.ts';
import { bytes, hex, vectorSet } from './set.ts';

const crypto = nodeCrypto(seededRandom('vectors'));
const some = (length: number) => crypto.randomBytes(length);
const id = <T extends string>(length = 32) => hex(some(length)) as T;
const TIME = 1_800_000_000_000;
const ROUTES = [
  { device: id<DeviceId>(), relay: 'coterie-relay://relay.example/key', addresses: ['192.168.1.7:2492'] },
  { device: id<DeviceId>(), relay: undefined, addresses: [] },
];

function valueOf(text: string): Value {
  const decoded = decode(bytes(text));
  assert.ok(decoded.ok);
  return decoded.value;
}

interface BodyVector {
  readonly tool: '' | 'files' | 'chat';
  readonly kind: string;
  readonly body: string;
  readonly notation: string;
}

const bodyVector = (tool: BodyVector['tool'], kind: string, body: Value): BodyVector => ({
  tool,
  kind,
  body: hex(encode(body)),
  notation: notation(body),
});

const bodies = vectorSet<BodyVector>({
  file: 'bodies.json',
  about: 'Bodies of every kind of delta, and in CBOR’s diagnostic notation; `tool` is empty for control deltas.',
  make: () => [
    ...Object.entries<Value>(CONTROL_BODIES).map(([kind, body]) => bodyVector('', kind, body)),
    bodyVector('', 'setPerm', PERMISSION_OF_ONE_TOOL),
    ...FILES_DELTAS.map((delta) => bodyVector('files', delta.kind, filesBody(delta))),
    ...CHAT_DELTAS.map((delta) => bodyVector('chat', delta.kind, chatBody(delta))),
  ],
  prove({ tool, kind, body, notation: text }) {
    const value = valueOf(body);
    assert.equal(notation(value), text);
    assert.equal(hex(encode(value)), body);
    if (tool === '') {
      const delta = signDelta(crypto, { device: id(), seed: some(32) }, undefined, { ...DRAFT, kind, body: value });
      assert.equal(readControl(crypto, delta)?.kind, kind);
      return;
    }
    const files = tool === 'files' ? readFilesDelta(kind, value) : undefined;
    const chat = tool === 'chat' ? readChatDelta(kind, value) : undefined;
    const again = files ? filesBody(files) : chat && chatBody(chat);
    assert.equal(again && hex(encode(again)), body);
  },
});

const DRAFT: DeltaDraft = {
  generation: 0,
  seq: 1,
  prev: undefined,
  deps: [],
  credential: undefined,
  time: TIME,
  tool: undefined,
  kind: 'ack',
  body: [],
};

interface DeltaVector {
  readonly workspace: string;
  readonly seed: string;
  readonly generation: number;
  readonly seq: number;
  readonly prev: string;
  readonly deps: readonly string[];
  readonly credential: string;
  readonly time: number;
  readonly tool: string;
  readonly kind: string;
  readonly body: string;
  readonly bytes: string;
  readonly id: string;
}

const orNone = <T extends string>(text: string): T | undefined => (text === '' ? undefined : (text as T));

function sign(vector: Omit<DeltaVector, 'bytes' | 'id'>) {
  const { workspace, seed, prev, deps, credential, tool, body, generation, seq, time, kind } = vector;
  const signer = { device: hex(crypto.signingKeyOf(bytes(seed))) as DeviceId, seed: bytes(seed) };
  return signDelta(crypto, signer, orNone<WorkspaceId>(workspace), {
    ...{ generation, seq, time, kind, body: valueOf(body), deps: deps as readonly DeltaId[] },
    prev: orNone<DeltaId>(prev),
    credential: orNone<DeltaId>(credential),
    tool: orNone<ToolId>(tool),
  });
}

const deltas = vectorSet<DeltaVector>({
  file: 'deltas.json',
  about: 'Whole deltas (D3): signed with `seed`; `body` is CBOR. The first is a genesis, and `workspace` is its id.',
  make() {
    const seed = id();
    const first = { workspace: '', seed, generation: 0, seq: 1, prev: '', deps: [], credential: '', time: TIME, tool: '' };
    const genesis = { ...first, kind: 'genesis', body: hex(encode(CONTROL_BODIES.genesis)) };
    const workspace = sign(genesis).id;
    const second = { ...first, workspace, seq: 2, prev: workspace, credential: workspace, kind: 'ack', body: '80' };
    const post = encode(chatBody(CHAT_DELTAS[0]!));
    const deps = [id(), id(), id()].sort();
    const other = { ...second, seed: id(), generation: 3, seq: 70_000, prev: id(), deps, credential: id() };
    const third = { ...other, tool: id(8), kind: 'post', body: hex(post) };
    return [genesis, second, third].map((vector) => {
      const delta = sign(vector);
      return { ...vector, bytes: hex(delta.bytes), id: delta.id };
    });
  },
  prove(vector) {
    const workspace = (vector.workspace || vector.id) as WorkspaceId;
    const read = readDelta(crypto, workspace, bytes(vector.bytes));
    assert.ok(read.ok);
    assert.equal(read.value.id, vector.id);
    assert.ok(checkSignature(crypto, workspace, read.value));
    assert.equal(hex(sign(vector).bytes), vector.bytes);
  },
});

interface MessageVector {
  readonly kind: string;
  readonly sender: string;
  readonly bytes: string;
  readonly notation: string;
}

const messages = vectorSet<MessageVector>({
  file: 'messages.json',
  about: 'Messages of every kind, before they are padded and sealed (K5, S1), and in CBOR’s diagnostic notation.',
  make: () =>
    MESSAGES.map((message) => {
      const sender = id(8);
      const plaintext = encodeMessage(sender, message);
      return { kind: message.kind, sender, bytes: hex(plaintext), notation: notation(valueOf(hex(plaintext))) };
    }),
  prove(vector) {
    const read = decodeMessage(bytes(vector.bytes));
    assert.ok(read.ok);
    assert.deepEqual([read.value.message.kind, read.value.sender], [vector.kind, vector.sender]);
    assert.equal(hex(encodeMessage(read.value.sender, read.value.message)), vector.bytes);
    assert.equal(notation(valueOf(vector.bytes)), vector.notation);
  },
});

interface EpochVector {
  readonly workspace: string;
  readonly key: string;
  readonly commit: string;
  readonly tag: string;
  readonly device: string;
  readonly agreementSecret: string;
  readonly ephemeralSecret: string;
  readonly notice: string;
  readonly capability: string;
  readonly plaintext: string;
  readonly nonce: string;
  readonly sealed: string;
}

type EpochInput = Pick<
  EpochVector,
  'workspace' | 'key' | 'device' | 'agreementSecret' | 'ephemeralSecret' | 'plaintext' | 'nonce'
>;

function ofEpoch(input: EpochInput): EpochVector {
  const given = (random: string) => ({ ...crypto, randomBytes: () => bytes(random) });
  const epoch = epochOf(crypto, bytes(input.key));
  const device = input.device as DeviceId;
  const target = { device, agreementKey: crypto.agreementKeyOf(bytes(input.agreementSecret)) };
  return {
    ...input,
    commit: hex(epoch.commit),
    tag: epoch.tag,
    notice: hex(encode(boxEpoch(given(input.ephemeralSecret), epoch, [target]))),
    capability: hex(capabilityOf(crypto, epoch.key, device)),
    sealed: hex(sealMessage(given(input.nonce), { ...epoch, workspace: input.workspace as WorkspaceId }, bytes(input.plaintext))),
  };
}

const epochs = vectorSet<EpochVector>({
  file: 'epochs.json',
  about: 'Of an epoch’s key: commitment and tag (K1), a notice with a box for `device`, its capability (R4), and bytes sealed in `workspace` (K5).',
  make: () =>
    [0, 15, 16, 1_500].map((length) =>
      ofEpoch({
        workspace: 'a7'.repeat(32),
        key: id(),
        device: id(),
        agreementSecret: id(),
        ephemeralSecret: id(),
        plaintext: id(length),
        nonce: id(24),
      }),
    ),
  prove(vector) {
    assert.deepEqual(ofEpoch(vector), vector);
    const notice = readEpochNotice(valueOf(vector.notice))!;
    const opened = openEpoch(crypto, notice, vector.device as DeviceId, bytes(vector.agreementSecret));
    assert.equal(opened && hex(opened.key), vector.key);
    const seal = { key: bytes(vector.key), workspace: vector.workspace as WorkspaceId };
    const plaintext = openMessage(crypto, seal, bytes(vector.sealed));
    assert.equal(plaintext && hex(plaintext), vector.plaintext);
  },
});

interface InvitationVector {
  readonly secret: string;
  readonly signingSeed: string;
  readonly publicKey: string;
  readonly sealKey: string;
  readonly sealTag: string;
  readonly workspace: string;
  readonly invite: string;
  readonly since: readonly string[];
  readonly certificate: string;
  readonly joinSubject: string;
  readonly text: string;
}

const invitations = vectorSet<InvitationVector>({
  file: 'invitations.json',
  about: 'What an invitation’s secret derives (N1), what a joiner signs (N2; the certificate here is no real one), and the text of a link.',
  make() {
    const [secret, workspace, invite] = [some(32), id<WorkspaceId>(), id<DeltaId>()];
    const [keys, since, certificate] = [invitationKeys(crypto, secret), [id<DeltaId>(), id<DeltaId>()], some(40)];
    const text = writeInvitation(crypto, {
      ...{ workspace, invite, workspaceName: 'Apollo', inviterName: 'Alice Ångström', inviter: id<AccountId>() },
      ...{ role: Role.participant, expires: TIME, secret, routes: ROUTES },
    });
    return [
      {
        secret: hex(secret),
        signingSeed: hex(keys.signingSeed),
        publicKey: hex(keys.publicKey),
        sealKey: hex(keys.seal.key),
        sealTag: keys.seal.tag,
        workspace,
        invite,
        since,
        certificate: hex(certificate),
        joinSubject: hex(joinSubject(workspace, invite, since, certificate)),
        text,
      },
    ];
  },
  prove(vector) {
    const { signingSeed, publicKey, seal } = invitationKeys(crypto, bytes(vector.secret));
    assert.deepEqual(
      [hex(signingSeed), hex(publicKey), hex(seal.key), seal.tag],
      [vector.signingSeed, vector.publicKey, vector.sealKey, vector.sealTag],
    );
    const [workspace, invite] = [vector.workspace as WorkspaceId, vector.invite as DeltaId];
    const since = vector.since as readonly DeltaId[];
    assert.equal(hex(joinSubject(workspace, invite, since, bytes(vector.certificate))), vector.joinSubject);
    const read = readInvitation(crypto, vector.text);
    assert.ok(read.ok);
    assert.deepEqual([read.value.workspace, read.value.invite, hex(read.value.secret)], [workspace, invite, vector.secret]);
    assert.equal(writeInvitation(crypto, read.value), vector.text);
  },
});

interface LinkVector {
  readonly text: string;
  readonly secret: string;
  readonly certificate: string;
  readonly number: string;
  readonly own: { readonly device: string; readonly agreementSecret: string };
  readonly other: { readonly device: string; readonly agreementSecret: string };
  readonly pairKey: string;
  readonly pairTag: string;
  /** Of a return into the workspace whose id is the first account's (L7). */
  readonly returnKey: string;
  readonly returnTag: string;
  /** What a device signs that asks with the code, and one that asks to come back after a word that took it out. */
  readonly linkSubject: string;
  readonly since: readonly string[];
  readonly returnSubject: string;
  readonly accounts: readonly [string, string];
  readonly safetyNumber: string;
}

const keysOf = (own: LinkVector['own'], other: LinkVector['own']) =>
  [
    { device: own.device as DeviceId, agreementSecret: bytes(own.agreementSecret) },
    { device: other.device as DeviceId, agreementKey: crypto.agreementKeyOf(bytes(other.agreementSecret)) },
  ] as const;

const pairOf = (own: LinkVector['own'], other: LinkVector['own']) => pairSeal(crypto, ...keysOf(own, other))!;

const returnOf = (workspace: string, own: LinkVector['own'], other: LinkVector['own']) =>
  returnSeal(crypto, workspace as WorkspaceId, ...keysOf(own, other))!;

const links = vectorSet<LinkVector>({
  file: 'links.json',
  about: 'A link code, the number that both devices show, the seals of a pair of devices (I2) and of a return (L7), and a safety number (I3).',
  make() {
    const [secret, certificate] = [some(32), some(40)];
    const [own, other] = [
      { device: id(), agreementSecret: id() },
      { device: id(), agreementSecret: id() },
    ];
    const seal = pairOf(own, other);
    const accounts = [id<AccountId>(), id<AccountId>()] as const;
    const [back, since] = [returnOf(accounts[0], own, other), [id<DeltaId>()]];
    const workspace = accounts[0] as string as WorkspaceId;
    return [
      {
        text: writeLinkCode(crypto, { account: accounts[0], expires: TIME, secret, routes: ROUTES }),
        secret: hex(secret),
        certificate: hex(certificate),
        number: linkNumber(crypto, secret, certificate),
        own,
        other,
        pairKey: hex(seal.key),
        pairTag: seal.tag,
        returnKey: hex(back.key),
        returnTag: back.tag,
        linkSubject: hex(linkSubject(accounts[0], certificate)),
        since,
        returnSubject: hex(returnSubject(workspace, since, certificate)),
        accounts,
        safetyNumber: safetyNumber(crypto, ...accounts),
      },
    ];
  },
  prove(vector) {
    const code = readLinkCode(crypto, vector.text);
    assert.ok(code.ok);
    assert.equal(hex(code.value.secret), vector.secret);
    assert.equal(writeLinkCode(crypto, code.value), vector.text);
    assert.equal(linkNumber(crypto, bytes(vector.secret), bytes(vector.certificate)), vector.number);
    for (const seal of [pairOf(vector.own, vector.other), pairOf(vector.other, vector.own)])
      assert.deepEqual([hex(seal.key), seal.tag], [vector.pairKey, vector.pairTag]);
    const [workspace] = vector.accounts;
    for (const seal of [returnOf(workspace, vector.own, vector.other), returnOf(workspace, vector.other, vector.own)])
      assert.deepEqual([hex(seal.key), seal.tag], [vector.returnKey, vector.returnTag]);
    const [since, certificate] = [vector.since as readonly DeltaId[], bytes(vector.certificate)];
    assert.equal(hex(linkSubject(workspace as AccountId, certificate)), vector.linkSubject);
    assert.equal(hex(returnSubject(workspace as WorkspaceId, since, certificate)), vector.returnSubject);
    const [a, b] = vector.accounts as readonly [AccountId, AccountId];
    assert.equal(safetyNumber(crypto, a, b), vector.safetyNumber);
    assert.equal(safetyNumber(crypto, b, a), vector.safetyNumber);
  },
});

interface SealedVector {
  readonly path: Path;
  /** Empty where the seal is none of a workspace. */
  readonly workspace: string;
  readonly tag: string;
  readonly key: string;
  readonly seed: string;
  readonly device: string;
  readonly message: string;
  readonly plaintext: string;
  readonly nonce: string;
  readonly sealed: string;
}

type SealedInput = Pick<SealedVector, 'path' | 'workspace' | 'tag' | 'key' | 'seed' | 'message' | 'nonce'>;

function sealKeyOf({ workspace, tag, key }: SealedInput): SealKey {
  return { tag, key: bytes(key), ...(workspace === '' ? {} : { workspace: workspace as WorkspaceId }) };
}

function sealedOf(input: SealedInput): SealedVector {
  const { path, seed } = input;
  const device = hex(crypto.signingKeyOf(bytes(seed))) as DeviceId;
  const read = decodeMessage(bytes(input.message));
  assert.ok(read.ok);
  const given = { ...crypto, randomBytes: () => bytes(input.nonce) };
  const sealed = sealSaid(given, { device, seed: bytes(seed) }, sealKeyOf(input), path, read.value.message);
  return { ...input, device, plaintext: hex(openMessage(crypto, sealKeyOf(input), sealed)!), sealed: hex(sealed) };
}

const sealed = vectorSet<SealedVector>({
  file: 'sealed.json',
  about: 'A message of `device`, whose seed is `seed`, as it goes directly and, signed, by a relay, under a seal of a workspace and one of none (K5).',
  make() {
    const message: Message = { kind: 'presence', state: 1, addresses: ['192.168.1.7:2492'], answer: true };
    const [seed, tag, key] = [id(), id(8), id()];
    const said = hex(encodeMessage(hex(crypto.signingKeyOf(bytes(seed))), message));
    const each = (['direct', 'relay'] as const).flatMap((path) => ['', 'a7'.repeat(32)].map((workspace) => ({ path, workspace })));
    return each.map((one) => sealedOf({ ...one, tag, key, seed, message: said, nonce: id(24) }));
  },
  prove(vector) {
    assert.deepEqual(sealedOf(vector), vector);
    const arrived = { from: vector.device as DeviceId, bytes: bytes(vector.sealed) };
    const open = (path: Path) => openSaid(crypto, sealKeyOf(vector), { ...arrived, path })?.message;
    const read = decodeMessage(bytes(vector.message));
    assert.deepEqual(open(vector.path), read.ok && read.value.message);
    assert.equal(open(vector.path === 'direct' ? 'relay' : 'direct'), undefined);
  },
});

export const SAID = [bodies, deltas, messages, epochs, invitations, links, sealed];
