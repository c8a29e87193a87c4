import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import {
  CipherState,
  NOISE_PROTOCOL,
  REKEY_EVERY_MESSAGES,
  TransportCipher,
  XxHandshake,
} from '../../src/protocol/noise.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import vector from '../vectors/noise-xx.json' with { type: 'json' };

const bytes = (hex: string) => fromHex(hex)!;
const EMPTY = new Uint8Array(0);

function pair(seed: string, prologues: readonly [string, string] = ['00', '00']) {
  const crypto = nodeCrypto(seededRandom(seed));
  const secrets = [crypto.randomBytes(32), crypto.randomBytes(32)] as const;
  const alice = new XxHandshake({
    crypto,
    role: 'initiator',
    prologue: bytes(prologues[0]),
    staticSecret: secrets[0],
  });
  const bob = new XxHandshake({ crypto, role: 'responder', prologue: bytes(prologues[1]), staticSecret: secrets[1] });
  return { crypto, alice, bob, keys: secrets.map((secret) => crypto.agreementKeyOf(secret)) };
}

function established(seed: string) {
  const { alice, bob } = pair(seed);
  bob.read(alice.write(EMPTY)!);
  alice.read(bob.write(EMPTY)!);
  bob.read(alice.write(EMPTY)!);
  return { alice: alice.split(), bob: bob.split() };
}

describe('Noise XX', () => {
  it('T1 gives the published vector, byte for byte, in both roles and both directions', () => {
    const side = (role: 'initiator' | 'responder', ephemeral: string, staticSecret: string, prologue: string) =>
      new XxHandshake({
        crypto: nodeCrypto(() => bytes(ephemeral)),
        role,
        prologue: bytes(prologue),
        staticSecret: bytes(staticSecret),
      });
    assert.equal(vector.protocol_name, NOISE_PROTOCOL);
    const alice = side('initiator', vector.init_ephemeral, vector.init_static, vector.init_prologue);
    const bob = side('responder', vector.resp_ephemeral, vector.resp_static, vector.resp_prologue);

    for (const [at, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
      const [writer, reader] = at % 2 === 0 ? [alice, bob] : [bob, alice];
      assert.equal(toHex(writer.write(bytes(payload))!), ciphertext);
      assert.equal(toHex(reader.read(bytes(ciphertext))!), payload);
    }
    const [a, b] = [alice.split(), bob.split()];
    for (const [at, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
      const [writer, reader] = at % 2 === 0 ? [b, a] : [a, b];
      assert.equal(toHex(writer.send.seal(bytes(payload))), ciphertext);
      assert.equal(toHex(reader.receive.open(bytes(ciphertext))!), payload);
    }
  });

  it('T1 proves each side’s static key to the other', () => {
    const { alice, bob, keys } = pair('keys');
    assert.equal(alice.peerStaticKey, undefined);
    bob.read(alice.write(EMPTY)!);
    alice.read(bob.write(EMPTY)!);
    bob.read(alice.write(EMPTY)!);
    assert.deepEqual(alice.split().peerStaticKey, keys[1]);
    assert.deepEqual(bob.split().peerStaticKey, keys[0]);
  });

  it('T1 does not come about between different prologues', () => {
    const { alice, bob } = pair('prologue', ['00', '01']);
    assert.deepEqual(bob.read(alice.write(EMPTY)!), EMPTY);
    assert.equal(alice.read(bob.write(EMPTY)!), undefined);
  });

  it('T1 refuses each handshake message with any one byte changed, and each that is cut', () => {
    for (const victim of [1, 2]) {
      const length = [32, 32 + 48 + 16, 48 + 16][victim]!;
      for (let at = 0; at < length; at++) {
        const { alice, bob } = pair(`flip ${victim} ${at}`);
        bob.read(alice.write(EMPTY)!);
        let message = bob.write(EMPTY)!;
        if (victim === 2) {
          alice.read(message);
          message = alice.write(EMPTY)!;
        }
        assert.equal(message.length, length);
        message[at]! ^= 1;
        assert.equal((victim === 1 ? alice : bob).read(message), undefined, `byte ${at} of message ${victim + 1}`);
      }
    }
    const { alice, bob } = pair('cut');
    const first = alice.write(EMPTY)!;
    assert.equal(bob.read(first.subarray(0, 31)), undefined);
  });

  it('T1 refuses ephemeral keys of low order, from either side', () => {
    for (const low of ['00'.repeat(32), '01' + '00'.repeat(31)]) {
      const asked = pair('low order, responder');
      asked.bob.read(bytes(low));
      assert.equal(asked.bob.write(EMPTY), undefined);

      const answered = pair('low order, initiator');
      answered.alice.write(EMPTY);
      assert.equal(answered.alice.read(bytes(low + '00'.repeat(64))), undefined);
    }
  });

  it('T1 gives every connection its own keys', () => {
    const first = established('one').alice.send.seal(EMPTY);
    assert.notDeepEqual(first, established('two').alice.send.seal(EMPTY));
    assert.deepEqual(first, established('one').alice.send.seal(EMPTY), 'the seed decides, or this test proves nothing');
  });
});

describe('Noise transport', () => {
  const crypto = nodeCrypto(seededRandom('transport'));
  const key = crypto.randomBytes(32);

  it('T1 opens nothing that was changed, repeated or moved', () => {
    const { alice, bob } = established('moved');
    const [first, second] = [alice.send.seal(bytes('aa')), alice.send.seal(bytes('bb'))];
    assert.equal(bob.receive.open(second), undefined);
    const flipped = first.slice();
    flipped[0]! ^= 0x80;
    assert.equal(bob.receive.open(flipped), undefined);
    assert.deepEqual(bob.receive.open(first), bytes('aa'));
    assert.equal(bob.receive.open(first), undefined);
    assert.deepEqual(bob.receive.open(second), bytes('bb'));
    assert.equal(alice.receive.open(alice.send.seal(EMPTY)), undefined, 'the directions have different keys');
  });

  it('T1 takes a new key every 2^20 messages, on both sides without a word', () => {
    const before = REKEY_EVERY_MESSAGES - 2;
    const sender = new TransportCipher(new CipherState(crypto, key, before));
    const receiver = new TransportCipher(new CipherState(crypto, key, before));
    const unchanged = new CipherState(crypto, key, before);
    for (let i = 0; i < 5; i++) {
      const sealed = sender.seal(bytes('0102'));
      assert.equal(toHex(unchanged.encryptWithAd(EMPTY, bytes('0102'))) === toHex(sealed), i < 2, `message ${i}`);
      assert.deepEqual(receiver.open(sealed), bytes('0102'));
    }
  });

  it('T1 rekeys as the specification says: 32 zeros under the last nonce', () => {
    const cipher = new CipherState(crypto, key);
    cipher.rekey();
    const next = crypto.sealGcm(key, bytes('00000000ffffffffffffffff'), new Uint8Array(32), EMPTY).subarray(0, 32);
    const expected = crypto.sealGcm(next, new Uint8Array(12), bytes('cc'), EMPTY);
    assert.deepEqual(cipher.encryptWithAd(EMPTY, bytes('cc')), expected);
  });

  it('T1 counts nonces beyond 32 bits and never uses one twice', () => {
    const nonce = 0x1_0000_0001;
    const cipher = new CipherState(crypto, key, nonce);
    const expected = crypto.sealGcm(key, bytes('000000000000000100000001'), bytes('dd'), EMPTY);
    assert.deepEqual(cipher.encryptWithAd(EMPTY, bytes('dd')), expected);
    const spent = new CipherState(crypto, key, Number.MAX_SAFE_INTEGER);
    assert.throws(() => spent.encryptWithAd(EMPTY, EMPTY), /used up/);
    assert.equal(spent.decryptWithAd(EMPTY, new Uint8Array(16)), undefined);
  });
});
