/** What anybody may send to a device or a relay before he is known, and what peers and relays may: decoders of protocol/. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { concatBytes } from '../../src/base/bytes.ts';
import { toUtf8 } from '../../src/base/utf8.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate, readCertificate } from '../../src/protocol/certificate.ts';
import { SecureChannel, type ChannelIdentity } from '../../src/protocol/channel.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { PacketAssembler, PacketQueue } from '../../src/protocol/frame.ts';
import { MAX_FRAME_PAYLOAD_BYTES, MAX_MESSAGE_BYTES } from '../../src/protocol/limits.ts';
import { CipherState, TransportCipher } from '../../src/protocol/noise.ts';
import { readRelayAddress, writeRelayAddress } from '../../src/protocol/relay-address.ts';
import {
  Code,
  decodeNotice,
  decodeRequest,
  encodeNotice,
  encodeRequest,
  Marker,
  type RelayNotice,
  type RelayRequest,
} from '../../src/protocol/relay-messages.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { attack, bounded, fixed, TIMEOUT_MS } from './attack.ts';
import { changedBytes } from './mutations.ts';
import { survivesText } from './texts.ts';

const crypto = nodeCrypto(seededRandom('fuzz protocol'));
const bytesOf = (length: number) => crypto.randomBytes(length);

const VALUES: readonly Value[] = [
  0,
  -1,
  23,
  24,
  65_536,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
  null,
  true,
  '',
  'ßmile 😀',
  new Uint8Array(0),
  bytesOf(300),
  [],
  [[[[[[[[[[[[]]]]]]]]]]]],
  [0, [bytesOf(32), 'name', [1, 2, 3]], null, [true, false]],
  Array.from({ length: 300 }, (_, i) => i * 1_000),
];

attack({
  name: 'D4 the codec',
  valid: VALUES.map(encode),
  runs: 1_500,
  read: (bytes) => {
    const decoded = decode(bytes);
    return decoded.ok ? encode(decoded.value) : undefined;
  },
});

const recipients = [1, 2].map(() => ({ device: bytesOf(32), capability: bytesOf(32) }));
const REQUESTS: readonly RelayRequest[] = [
  { type: 'register', token: 'a token' },
  { type: 'confirm', hashes: [bytesOf(32), bytesOf(32)] },
  { type: 'submit', messageId: bytesOf(16), ephemeral: false, recipients, body: bytesOf(100) },
  { type: 'subscribe' },
  { type: 'ack', position: 70_000 },
  { type: 'parcelPut', parcel: bytesOf(32), total: 100, offset: 50, bytes: bytesOf(50) },
  { type: 'parcelGet', parcel: bytesOf(32), offset: 0, length: 1_000 },
  { type: 'parcelKeep', parcel: bytesOf(32), references: 1 },
];
const NOTICES: readonly RelayNotice[] = [
  { type: 'answer', request: 9, code: Code.ok, value: [0, 1, null] },
  { type: 'deliver', position: 3, sender: bytesOf(32), messageId: bytesOf(16), body: bytesOf(100) },
  { type: 'marker', position: 5, reason: Marker.expired },
  { type: 'replaced' },
  { type: 'hello', limits: [['queueBytes', 1_000]] },
];

attack({
  name: 'R1 requests to a relay',
  valid: REQUESTS.map((request, id) => encodeRequest(id, request)),
  runs: 600,
  read: (bytes) => {
    const decoded = decodeRequest(bytes);
    return decoded.ok ? encodeRequest(decoded.value.id, decoded.value.request) : undefined;
  },
});

attack({
  name: 'R1 notices of a relay',
  valid: NOTICES.map(encodeNotice),
  runs: 600,
  read: (bytes) => {
    const decoded = decodeNotice(bytes);
    return decoded.ok ? encodeNotice(decoded.value) : undefined;
  },
});

const [accountSeed, signingSeed] = [bytesOf(32), bytesOf(32)];
const agreementSecret = bytesOf(32);
const certificate = issueCertificate(crypto, accountSeed, {
  signingSeed,
  agreementKey: crypto.agreementKeyOf(agreementSecret),
  name: 'Alice’s desk',
  created: 1_700_000_000_000,
});

attack({
  name: 'I1 a certificate',
  valid: [certificate.bytes],
  survivors: false,
  read: (bytes) => {
    const read = readCertificate(crypto, bytes);
    return read.ok ? read.value.bytes : undefined;
  },
});

/** Both signatures, over whatever stands in the fields before them. */
function vouched(bytes: Uint8Array): Uint8Array {
  const decoded = decode(bytes);
  if (!decoded.ok || !Array.isArray(decoded.value)) return bytes;
  const sign = (seed: Uint8Array, domain: string) => crypto.sign(seed, concatBytes(toUtf8(domain), bytes));
  const fields = decoded.value as readonly Value[];
  return encode([...fields, sign(accountSeed, 'coterie device 1'), sign(signingSeed, 'coterie device countersign 1')]);
}

const certified = decode(certificate.bytes);
assert.ok(certified.ok);

attack({
  name: 'I1 a certificate that a hostile account has signed',
  valid: [encode((certified.value as readonly Value[]).slice(0, 5))],
  read: (bytes) => {
    const read = readCertificate(crypto, vouched(bytes));
    if (!read.ok) return undefined;
    const { accountKey, signingKey, agreementKey, name, created } = read.value;
    return encode([accountKey, signingKey, agreementKey, name, created]);
  },
});

const sentFrame = (lane: number, length: number): Uint8Array => {
  const queue = new PacketQueue();
  queue.push(lane, bytesOf(length));
  return queue.pull()!;
};

attack({
  name: 'S1 a frame',
  valid: [sentFrame(0, 0), sentFrame(3, 100), sentFrame(1, MAX_FRAME_PAYLOAD_BYTES + 1)],
  opaque: true,
  read: (bytes) => {
    const taken = new PacketAssembler().take(bytes);
    if (!taken.ok) return undefined;
    if (!taken.value) return true;
    const queue = new PacketQueue();
    queue.push(taken.value.lane, taken.value.bytes);
    return queue.pull();
  },
});

describe('S1 frames in a row', function () {
  this.timeout(TIMEOUT_MS);

  it('D4 whatever comes, no more is held than a message a lane', () => {
    const header = fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x80, 0x81, 0x82, 0x83, 0x04, 0x40, 0xff);
    const length = fc.constantFrom(
      0,
      1,
      MAX_FRAME_PAYLOAD_BYTES - 1,
      MAX_FRAME_PAYLOAD_BYTES,
      MAX_FRAME_PAYLOAD_BYTES + 1,
    );
    const frames = fc.array(fc.tuple(header, fc.oneof(length, fc.constant(MAX_FRAME_PAYLOAD_BYTES))), {
      maxLength: 60,
    });
    const check = fc.property(frames, (all) => {
      const assembler = new PacketAssembler();
      for (const [head, bytes] of all) {
        const frame = new Uint8Array(1 + bytes);
        frame[0] = head;
        const taken = assembler.take(frame);
        if (!taken.ok) return;
        assert.ok((taken.value?.bytes.length ?? 0) <= MAX_MESSAGE_BYTES);
      }
    });
    fc.assert(check, fixed(4, 100));
  });
});

const ADDRESS = { host: 'relay.example', port: 2492, key: bytesOf(32), token: 'token_1' };
survivesText({
  name: 'T1 a relay’s address',
  valid: [
    writeRelayAddress(ADDRESS),
    writeRelayAddress({ ...ADDRESS, token: '', host: '[fe80::1]' }),
    writeRelayAddress(ADDRESS).replace(':2492', ''),
  ],
  read: (text) => {
    const address = readRelayAddress(text);
    if (!address) return false;
    assert.deepEqual(readRelayAddress(writeRelayAddress(address)), address);
    return true;
  },
});

// ---- the channel ---------------------------------------------------------------------------------------------------------

const identity: ChannelIdentity = { staticSecret: agreementSecret, payload: certificate.bytes };
const open = (role: 'initiator' | 'responder') => new SecureChannel({ crypto, role, identity, expect: 'any' });

/** What is wrong is final: nothing after it is taken, and nothing is sent any more. */
function receiveOn(channel: SecureChannel, frame: Uint8Array): true | undefined {
  const received = channel.receive(frame);
  if (received.ok) return true;
  assert.ok(!channel.receive(frame).ok);
  channel.push(0, Uint8Array.of(1));
  assert.equal(channel.pull(), undefined);
  return undefined;
}

/** Frames of a handshake up to the one that `role` is to get as its number `step`. */
function beforeStep(step: 1 | 2 | 3): { readonly channel: SecureChannel; readonly frame: Uint8Array } {
  const [a, b] = [open('initiator'), open('responder')];
  const first = a.start()[0]!;
  if (step === 1) return { channel: b, frame: first };
  const second = b.receive(first);
  assert.ok(second.ok);
  if (step === 2) return { channel: a, frame: second.value.send[0]! };
  const third = a.receive(second.value.send[0]!);
  assert.ok(third.ok);
  return { channel: b, frame: third.value.send[0]! };
}

for (const step of [1, 2, 3] as const) {
  describe(`T1 message ${step} of a handshake`, function () {
    this.timeout(TIMEOUT_MS);

    it('T1 is the one that was sent, or the channel ends with a fault', () => {
      let taken = 0;
      const change = changedBytes([beforeStep(step).frame]);
      const check = fc.property(change, fc.boolean(), (bytes, sent) => {
        const { channel, frame } = beforeStep(step);
        const input = sent ? frame : bytes;
        const answer = bounded(input.length, () => receiveOn(channel, input));
        // The first carries nothing but a key, and every key of sound order is one.
        if (sent) assert.equal(answer, true);
        else if (step > 1) assert.equal(answer, undefined);
        taken += Number(answer === true);
      });
      fc.assert(check, fixed(5, 150));
      assert.ok(taken > 0);
    });

    it('T1 arbitrary bytes end it with a fault', () => {
      const check = fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        bounded(bytes.length, () => receiveOn(beforeStep(step).channel, bytes));
      });
      fc.assert(check, fixed(6, 150));
    });
  });
}

describe('T1 frames on an open channel', function () {
  this.timeout(TIMEOUT_MS);

  const established = () => {
    const [a, b] = [open('initiator'), open('responder')];
    const second = b.receive(a.start()[0]!);
    assert.ok(second.ok);
    const third = a.receive(second.value.send[0]!);
    assert.ok(third.ok);
    assert.ok(b.receive(third.value.send[0]!).ok);
    return { a, b };
  };

  it('T1 one that was changed is not opened, and ends the channel', () => {
    const check = fc.property(fc.uint8Array({ maxLength: 300 }), fc.infiniteStream(fc.nat()), (packet, stream) => {
      const { a, b } = established();
      a.push(1, packet);
      const frame = a.pull()!;
      const at = stream.next().value! % frame.length;
      const changed = frame.with(at, frame[at]! ^ (1 << (stream.next().value! % 8)));
      assert.equal(receiveOn(b, changed), undefined);
    });
    fc.assert(check, fixed(7, 100));
  });

  it('T1 arbitrary bytes are not opened, and end the channel', () => {
    const check = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(receiveOn(established().b, bytes), undefined);
    });
    fc.assert(check, fixed(8, 100));
  });

  it('T1 a peer who seals nonsense is answered with a fault', () => {
    const key = bytesOf(32);
    const check = fc.property(fc.uint8Array({ maxLength: 200 }), (plain) => {
      const sealed = new TransportCipher(new CipherState(crypto, key)).seal(plain);
      const opened = new TransportCipher(new CipherState(crypto, key)).open(sealed);
      assert.deepEqual(opened, plain);
      bounded(plain.length, () => new PacketAssembler().take(opened));
    });
    fc.assert(check, fixed(9, 200));
  });
});
