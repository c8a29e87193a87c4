import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.ts';
import { toUtf8 } from '../../src/base/utf8.ts';
import { nobleGcm } from '../../src/crypto/noble/aead.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { nodeGcm, nodeHasGcm } from '../../src/crypto/node/gcm.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import vectors from '../vectors/crypto.json' with { type: 'json' };

const crypto = nodeCrypto(seededRandom('crypto'));
const hex = (text: string) => fromHex(text)!;
const NOTHING = new Uint8Array(0);
const isPlain = (bytes: Uint8Array) => Object.getPrototypeOf(bytes) === Uint8Array.prototype;

describe('published vectors', () => {
  it('I1 Ed25519: RFC 8032 §7.1', () => {
    for (const { seed, publicKey, message, signature } of vectors.ed25519) {
      assert.equal(toHex(crypto.signingKeyOf(hex(seed))), publicKey);
      assert.equal(toHex(crypto.sign(hex(seed), hex(message))), signature);
      assert.equal(crypto.verify(hex(publicKey), hex(message), hex(signature)), true);
    }
  });

  it('K1 X25519: RFC 7748 §6.1', () => {
    const { aliceSecret, alicePublic, bobSecret, bobPublic, shared } = vectors.x25519;
    assert.equal(toHex(crypto.agreementKeyOf(hex(aliceSecret))), alicePublic);
    assert.equal(toHex(crypto.agreementKeyOf(hex(bobSecret))), bobPublic);
    assert.equal(toHex(crypto.agree(hex(aliceSecret), hex(bobPublic))!), shared);
    assert.equal(toHex(crypto.agree(hex(bobSecret), hex(alicePublic))!), shared);
  });

  it('K5 XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03 §A.3.1', () => {
    const { key, nonce, plaintext, associated, sealed } = vectors.xchacha20poly1305;
    const found = crypto.seal(hex(key), hex(nonce), toUtf8(plaintext), hex(associated));
    assert.equal(toHex(found), sealed);
    assert.deepEqual(crypto.open(hex(key), hex(nonce), found, hex(associated)), toUtf8(plaintext));
  });

  it('K5 AES-256-GCM: test case 16 of its specification, by node and by noble', () => {
    const { key, nonce, plaintext, associated, sealed } = vectors.aes256gcm;
    for (const gcm of [crypto, nodeGcm, nobleGcm]) {
      assert.equal(toHex(gcm.sealGcm(hex(key), hex(nonce), hex(plaintext), hex(associated))), sealed);
      assert.equal(toHex(gcm.openGcm(hex(key), hex(nonce), hex(sealed), hex(associated))!), plaintext);
    }
  });

  it('D3 SHA-256, HMAC and HKDF: FIPS 180-4, RFC 4231, RFC 5869', () => {
    assert.equal(toHex(crypto.sha256(toUtf8('abc'))), vectors.sha256Abc);
    assert.equal(toHex(crypto.sha256(toUtf8('a'), NOTHING, toUtf8('bc'))), vectors.sha256Abc);
    // Short and long are hashed in two ways, and follow each other.
    for (const length of [0, 1, 55, 64, 4_095, 4_096, 4_097, 70_000, 3]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      const parts = [bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)];
      assert.equal(toHex(crypto.sha256(...parts)), createHash('sha256').update(bytes).digest('hex'));
    }
    const { key, data, mac } = vectors.hmac;
    assert.equal(toHex(crypto.hmacSha256(toUtf8(key), toUtf8(data))), mac);
    assert.equal(toHex(crypto.hmacSha256(toUtf8(key), toUtf8(data.slice(0, 4)), toUtf8(data.slice(4)))), mac);
    for (const { ikm, salt, info, output } of vectors.hkdf) {
      assert.equal(toHex(crypto.hkdfSha256(hex(ikm), hex(salt), hex(info), output.length / 2)), output);
    }
  });
});

describe('signatures', () => {
  const seed = crypto.randomBytes(32);
  const publicKey = crypto.signingKeyOf(seed);
  const message = toUtf8('a delta');
  const signature = crypto.sign(seed, message);

  it('I1 another message, another key or any changed bit is no signature', () => {
    assert.equal(crypto.verify(publicKey, message, signature), true);
    assert.equal(crypto.verify(publicKey, toUtf8('a dELTA'), signature), false);
    assert.equal(crypto.verify(crypto.signingKeyOf(crypto.randomBytes(32)), message, signature), false);
    for (let at = 0; at < signature.length; at++) {
      const changed = signature.slice();
      changed[at]! ^= 1 << (at % 8);
      assert.equal(crypto.verify(publicKey, message, changed), false, `byte ${at}`);
    }
  });

  it('I1 a second form of the same signature (S + L) is refused', () => {
    const s =
      [...signature.slice(32)].reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) + ed25519.Point.CURVE().n;
    const bytes = Uint8Array.from({ length: 32 }, (_, at) => Number((s >> BigInt(8 * at)) & 255n));
    assert.equal(crypto.verify(publicKey, message, concatBytes(signature.subarray(0, 32), bytes)), false);
  });

  it('I1 keys and signatures of the wrong shape answer false and never throw', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.equal(crypto.verify(new Uint8Array(length), message, signature), false);
      assert.equal(crypto.isSoundSigningKey(new Uint8Array(length)), false);
    }
    for (const length of [0, 63, 65]) assert.equal(crypto.verify(publicKey, message, new Uint8Array(length)), false);
    const random = seededRandom('keys');
    for (let i = 0; i < 100; i++) assert.equal(crypto.verify(random(32), message, random(64)), false);
  });
});

describe('sound signing keys', () => {
  const point = ed25519.Point;

  it('I1 a generated key is sound, the second time too', () => {
    for (let i = 0; i < 5; i++) {
      const key = crypto.signingKeyOf(crypto.randomBytes(32));
      assert.equal(crypto.isSoundSigningKey(key), true);
      assert.equal(crypto.isSoundSigningKey(key), true);
    }
  });

  it('I1 a key of low order is refused, in every form', () => {
    for (const key of vectors.ed25519LowOrder) assert.equal(crypto.isSoundSigningKey(hex(key)), false, key);
  });

  it('I1 a key with torsion is refused, though it is of high order', () => {
    const sound = point.fromBytes(crypto.signingKeyOf(crypto.randomBytes(32)));
    // Of order 8: it generates all the torsion there is.
    let torsion = point.fromBytes(hex(vectors.ed25519OrderEight));
    for (let i = 1; i < 8; i++) {
      assert.equal(crypto.isSoundSigningKey(sound.add(torsion).toBytes()), false, `with ${i} times the torsion`);
      torsion = torsion.add(point.fromBytes(hex(vectors.ed25519OrderEight)));
    }
    assert.equal(crypto.isSoundSigningKey(sound.add(torsion).toBytes()), true, 'eight times is none');
  });

  it('I1 a key in a second form, or no point, is refused', () => {
    for (const key of vectors.ed25519NotCanonical) assert.equal(crypto.isSoundSigningKey(hex(key)), false, key);
    const random = seededRandom('not a point');
    let refused = 0;
    for (let i = 0; i < 20; i++) refused += Number(!crypto.isSoundSigningKey(random(32)));
    assert.ok(
      refused >= 15,
      `${refused} of 20: an eighth of the points has no torsion, and half the bytes are no point`,
    );
  });
});

describe('agreement', () => {
  it('K1 a key of low order agrees on nothing', () => {
    const secret = crypto.randomBytes(32);
    for (const key of vectors.x25519LowOrder) assert.equal(crypto.agree(secret, hex(key)), undefined, key);
  });

  it('K1 a key of the wrong length agrees on nothing', () => {
    for (const length of [0, 31, 33])
      assert.equal(crypto.agree(crypto.randomBytes(32), new Uint8Array(length)), undefined);
  });
});

describe('sealing', () => {
  const key = crypto.randomBytes(32);
  const plaintext = toUtf8('the plan of Apollo');
  const associated = toUtf8('its place');
  const ciphers = [
    { name: 'XChaCha20-Poly1305', nonce: 24, seal: crypto.seal, open: crypto.open },
    { name: 'AES-256-GCM by node', nonce: 12, seal: nodeGcm.sealGcm, open: nodeGcm.openGcm },
    { name: 'AES-256-GCM by noble', nonce: 12, seal: nobleGcm.sealGcm, open: nobleGcm.openGcm },
  ] as const;

  for (const { name, nonce: nonceBytes, seal, open } of ciphers) {
    it(`K5 ${name} opens what was sealed and nothing else`, () => {
      const nonce = crypto.randomBytes(nonceBytes);
      const sealed = seal(key, nonce, plaintext, associated);
      assert.equal(sealed.length, plaintext.length + 16);
      assert.deepEqual(open(key, nonce, sealed, associated), plaintext);
      assert.ok(isPlain(sealed) && isPlain(open(key, nonce, sealed, associated)!));
      for (let at = 0; at < sealed.length; at++) {
        const changed = sealed.slice();
        changed[at]! ^= 1;
        assert.equal(open(key, nonce, changed, associated), undefined, `byte ${at}`);
      }
      for (let length = 0; length < sealed.length; length++) {
        assert.equal(open(key, nonce, sealed.subarray(0, length), associated), undefined, `cut to ${length}`);
      }
      assert.equal(open(key, nonce, sealed, NOTHING), undefined);
      assert.equal(open(key, crypto.randomBytes(nonceBytes), sealed, associated), undefined);
      assert.equal(open(crypto.randomBytes(32), nonce, sealed, associated), undefined);
    });
  }

  it('K5 seals in the room that it is given, where the plaintext stands, too: the same bytes', () => {
    const nonce = crypto.randomBytes(24);
    for (const before of [0, 1, 36]) {
      const whole = new Uint8Array(before + plaintext.length + 16);
      whole.set(plaintext, before);
      const room = whole.subarray(before);
      crypto.seal(key, nonce, room.subarray(0, plaintext.length), associated, room);
      assert.deepEqual(whole.slice(before), crypto.seal(key, nonce, plaintext, associated), `${before} before it`);
    }
  });

  it('K5 node and noble give the same bytes', () => {
    assert.ok(nodeHasGcm());
    const check = fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 50 }), (text, place) => {
      const nonce = crypto.randomBytes(12);
      const sealed = nobleGcm.sealGcm(key, nonce, text, place);
      assert.deepEqual(nodeGcm.sealGcm(key, nonce, text, place), sealed);
      assert.deepEqual(nodeGcm.openGcm(key, nonce, sealed, place), nobleGcm.openGcm(key, nonce, sealed, place));
    });
    fc.assert(check, { seed: 8, numRuns: 100 });
  });
});

describe('the provider', () => {
  it('D4 gives plain bytes and never a Buffer, whose slice() is no copy', () => {
    const system = nodeCrypto();
    const seed = system.randomBytes(32);
    const other = system.agreementKeyOf(system.randomBytes(32));
    for (const bytes of [
      seed,
      system.sha256(seed),
      system.hmacSha256(seed, seed),
      system.hkdfSha256(seed, seed, seed, 64),
      system.signingKeyOf(seed),
      system.sign(seed, seed),
      system.agreementKeyOf(seed),
      system.agree(seed, other)!,
    ]) {
      assert.ok(isPlain(bytes));
      assert.equal(bytes.buffer.byteLength, bytes.length);
    }
  });

  it('has the system’s randomness unless it is given another', () => {
    const system = nodeCrypto();
    assert.notDeepEqual(system.randomBytes(32), system.randomBytes(32));
    assert.deepEqual(nodeCrypto(seededRandom('x')).randomBytes(9), nodeCrypto(seededRandom('x')).randomBytes(9));
  });
});
