/** What members may say and write, hostile ones too: decoders of sync/. Control deltas and what a replica does with them: replica.test.ts. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { concatBytes, fromHex, toBase64Url, toHex } from '../../src/base/bytes.ts';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { Role } from '../../src/sync/control.ts';
import { checkSignature, readDelta, signDelta, type Delta } from '../../src/sync/delta.ts';
import { envelopeTag, openMessage, sealMessage } from '../../src/sync/envelope.ts';
import { boxEpoch, epochOf, openEpoch, readEpochNotice } from '../../src/sync/epoch.ts';
import {
  invitationFile,
  invitationKeys,
  readInvitation,
  writeInvitation,
  type Invitation,
} from '../../src/sync/invitation.ts';
import { decodeMessage, encodeMessage } from '../../src/sync/messages.ts';
import { openSaid } from '../../src/sync/signed.ts';
import { MESSAGES } from '../fakes/every-kind.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { signed } from '../sync/sealed-lies.ts';
import { attack, fixed, TIMEOUT_MS } from './attack.ts';
import { changedBytes } from './mutations.ts';
import { survivesText } from './texts.ts';

const crypto = nodeCrypto(seededRandom('fuzz sync'));
const bytesOf = (length: number) => crypto.randomBytes(length);
const id = <T extends string>(length = 32) => toHex(bytesOf(length)) as T;

// ---- deltas --------------------------------------------------------------------------------------------------------------

const seed = bytesOf(32);
const signer = { device: toHex(crypto.signingKeyOf(seed)) as DeviceId, seed };
const workspace = id<WorkspaceId>();
const DRAFT = {
  generation: 0,
  seq: 1,
  prev: undefined,
  deps: [],
  credential: undefined,
  time: 1_700_000_000_000,
  tool: undefined,
  kind: 'ack',
  body: [],
};
const DELTAS: readonly Delta[] = [
  signDelta(crypto, signer, workspace, DRAFT),
  signDelta(crypto, signer, undefined, { ...DRAFT, kind: 'genesis', body: ['Apollo'] }),
  signDelta(crypto, signer, workspace, {
    ...DRAFT,
    generation: 3,
    seq: 70_000,
    prev: id<DeltaId>(),
    deps: [id<DeltaId>(), id<DeltaId>(), id<DeltaId>()],
    credential: id<DeltaId>(),
    tool: id<ToolId>(8),
    kind: 'ver',
    body: [[bytesOf(32)], [20, bytesOf(32), bytesOf(9)]],
  }),
];

function partsOf({ bytes }: Delta): readonly [Uint8Array, Uint8Array] {
  const outer = decode(bytes);
  assert.ok(outer.ok);
  return outer.value as unknown as [Uint8Array, Uint8Array];
}

/** The signed part, from what was read of it. */
function signedOf(delta: Delta): Uint8Array {
  const { version, device, generation, seq, prev, deps, credential, time, tool, kind, body } = delta;
  const optional = (hex: string | undefined) => fromHex(hex ?? '')!;
  const ids = deps.map((dep) => fromHex(dep)!);
  return encode([
    version,
    fromHex(device)!,
    generation,
    seq,
    optional(prev),
    ids,
    optional(credential),
    time,
    optional(tool),
    kind,
    body,
  ]);
}

attack({
  name: 'D3 a delta',
  valid: DELTAS.map(({ bytes }) => bytes),
  runs: 600,
  read: (bytes) => {
    const read = readDelta(crypto, workspace, bytes);
    if (!read.ok) return undefined;
    checkSignature(crypto, workspace, read.value);
    return encode([signedOf(read.value), partsOf(read.value)[1]]);
  },
});

attack({
  name: 'D3 what is signed in a delta',
  valid: DELTAS.map((delta) => partsOf(delta)[0]),
  runs: 600,
  read: (signed) => {
    const read = readDelta(crypto, workspace, encode([signed, bytesOf(64)]));
    if (!read.ok) return undefined;
    assert.equal(checkSignature(crypto, workspace, read.value), false);
    return signedOf(read.value);
  },
});

describe('D7 signatures of changed deltas', function () {
  this.timeout(TIMEOUT_MS);

  it('D7 a delta whose bytes were changed has another id or no sound signature', () => {
    const check = fc.property(changedBytes(DELTAS.map(({ bytes }) => bytes)), (bytes) => {
      const read = readDelta(crypto, workspace, bytes);
      if (!read.ok || !checkSignature(crypto, workspace, read.value)) return;
      assert.ok(DELTAS.some((delta) => toHex(delta.bytes) === toHex(bytes)));
    });
    fc.assert(check, fixed(21));
  });
});

// ---- epochs and envelopes ------------------------------------------------------------------------------------------------

const agreementSecret = bytesOf(32);
const epoch = epochOf(crypto, bytesOf(32));
const me = { device: signer.device, agreementKey: crypto.agreementKeyOf(agreementSecret) };
const other = { device: id<DeviceId>(), agreementKey: crypto.agreementKeyOf(bytesOf(32)) };

attack({
  name: 'K1 an epoch notice',
  valid: [[me], [other, me], []].map((targets) => encode(boxEpoch(crypto, epoch, targets))),
  read: (bytes) => {
    const decoded = decode(bytes);
    const notice = decoded.ok ? readEpochNotice(decoded.value) : undefined;
    if (!notice) return undefined;
    const opened = openEpoch(crypto, notice, signer.device, agreementSecret);
    if (opened) assert.equal(opened.tag, epoch.tag);
    const { commit, boxes } = notice;
    return encode([commit, boxes.ephemeral, boxes.entries.map(({ prefix, box }) => [prefix, box])]);
  },
});

const seal = { tag: epoch.tag, key: epoch.key };

attack({
  name: 'K5 a sealed message',
  valid: [0, 1, 15, 16, 1_500].map((length) => sealMessage(crypto, seal, bytesOf(length))),
  opaque: true,
  runs: 600,
  read: (bytes) => {
    envelopeTag(bytes);
    return openMessage(crypto, epoch, bytes) && true;
  },
});

describe('K5 what a member seals without padding it as we do', function () {
  this.timeout(TIMEOUT_MS);

  it('K5 is opened to what stands before the mark, or not at all', () => {
    const padding = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat({ max: 60 }).map((zeros) => new Uint8Array(zeros)),
      fc
        .tuple(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 60 }))
        .map(([plain, zeros]) => concatBytes(plain, Uint8Array.of(1), new Uint8Array(zeros))),
    );
    let opened = 0;
    const check = fc.property(padding, (padded) => {
      const tag = fromHex(epoch.tag)!;
      const nonce = bytesOf(24);
      const plain = openMessage(crypto, epoch, concatBytes(tag, nonce, crypto.seal(epoch.key, nonce, padded, tag)));
      if (!plain) return;
      opened++;
      assert.deepEqual(plain, padded.subarray(0, plain.length));
      assert.equal(padded[plain.length], 1);
    });
    fc.assert(check, fixed(22));
    assert.ok(opened > 0, 'nothing was opened: the check was empty');
  });
});

// ---- messages ------------------------------------------------------------------------------------------------------------

attack({
  name: 'K5 a message',
  valid: MESSAGES.map((message) => encodeMessage(id(8), message)),
  runs: 1_000,
  read: (bytes) => {
    const read = decodeMessage(bytes);
    return read.ok ? encodeMessage(read.value.sender, read.value.message) : undefined;
  },
});

const MARK = signer.device.slice(0, 16);

attack({
  name: 'K5 a message that comes by a relay',
  valid: MESSAGES.map((message) => signed(crypto, seal, seed, encodeMessage(MARK, message))),
  survivors: false,
  runs: 600,
  read: (bytes) => {
    const sealed = sealMessage(crypto, seal, bytes);
    const message = openSaid(crypto, seal, { from: signer.device, path: 'relay', bytes: sealed })?.message;
    return message && signed(crypto, seal, seed, encodeMessage(MARK, message));
  },
});

describe('K5 what a member signs and seals that is no message', function () {
  this.timeout(TIMEOUT_MS);

  it('K5 is refused, and what is one is taken as it stands, in his name alone', () => {
    let taken = 0;
    const check = fc.property(changedBytes(MESSAGES.map((message) => encodeMessage(MARK, message))), (said) => {
      const bytes = sealMessage(crypto, seal, signed(crypto, seal, seed, said));
      const message = openSaid(crypto, seal, { from: signer.device, path: 'relay', bytes })?.message;
      if (!message) return;
      taken++;
      assert.deepEqual(encodeMessage(MARK, message), said);
    });
    fc.assert(check, fixed(23, 600));
    assert.ok(taken > 0, 'nothing was taken: the check was empty');
  });
});

// ---- invitations ---------------------------------------------------------------------------------------------------------

const INVITATION: Invitation = {
  workspace,
  invite: id<DeltaId>(),
  workspaceName: 'Apollo',
  inviterName: 'Alice Ångström',
  inviter: id<AccountId>(),
  role: Role.participant,
  expires: 1_800_000_000_000,
  secret: bytesOf(32),
  routes: [
    { device: id<DeviceId>(), relay: 'coterie-relay://relay.example:2492/key', addresses: ['192.168.1.7:2492'] },
    { device: id<DeviceId>(), relay: undefined, addresses: [] },
  ],
};
const TEXT = writeInvitation(crypto, INVITATION);

survivesText({
  name: 'N1 an invitation as text',
  valid: [
    TEXT,
    `vscode://coterie.coterie/join#${TEXT}`,
    invitationFile(TEXT),
    `> ${TEXT.slice(0, 90)}\r\n> ${TEXT.slice(90)}`,
  ],
  read: (text) => {
    const read = readInvitation(crypto, text);
    if (read.ok) assert.deepEqual(read.value, INVITATION);
    return read.ok;
  },
});

/** The body with its checksum, as anybody can make one. */
const checked = (body: Uint8Array): string => toBase64Url(concatBytes(body, crypto.sha256(body).subarray(0, 4)));
const { ok, value: fields } = decode(Uint8Array.from(Buffer.from(TEXT, 'base64url')).subarray(0, -4)) as {
  ok: true;
  value: Value;
};
assert.ok(ok);

attack({
  name: 'N1 an invitation that anybody made up',
  valid: [encode(fields)],
  read: (body) => {
    const read = readInvitation(crypto, checked(body));
    if (!read.ok) return undefined;
    invitationKeys(crypto, read.value.secret);
    const again = readInvitation(crypto, writeInvitation(crypto, read.value));
    assert.deepEqual(again, read);
    return Uint8Array.from(Buffer.from(writeInvitation(crypto, read.value), 'base64url')).subarray(0, -4);
  },
});
