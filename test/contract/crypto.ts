/** What the engine rests on in the face of cryptography, whoever provides it: the real thing, and the fast one of simulated worlds. */
import assert from 'node:assert/strict';
import { concatBytes, toHex } from '../../src/base/bytes.ts';
import {
  GCM_NONCE_BYTES,
  KEY_BYTES,
  SEAL_NONCE_BYTES,
  SIGNATURE_BYTES,
  TAG_BYTES,
  type Crypto,
} from '../../src/crypto/crypto.ts';

/** `make` answers a provider whose random bytes come from the seed. */
export function cryptoContract(name: string, make: (seed: string) => Crypto): void {
  describe(`${name} as cryptography`, () => {
    const crypto = make('contract');
    const bytes = (length: number) => crypto.randomBytes(length);
    const flipped = (original: Uint8Array, at: number) => original.map((byte, i) => (i === at ? byte ^ 4 : byte));

    it('random bytes are the seed’s and no others', () => {
      assert.deepEqual(make('a').randomBytes(40), make('a').randomBytes(40));
      assert.notDeepEqual(make('a').randomBytes(40), make('b').randomBytes(40));
    });

    it('D3 a hash is of the parts in a row, has 32 bytes, and no two messages share it', () => {
      const [one, other] = [bytes(70), bytes(41)];
      assert.deepEqual(crypto.sha256(one, other), crypto.sha256(concatBytes(one, other)));
      assert.deepEqual(crypto.sha256(one, new Uint8Array(0)), crypto.sha256(one));
      for (const parts of [
        [one, other],
        [bytes(5000), other],
      ])
        assert.equal(crypto.sha256Hex(...parts), toHex(crypto.sha256(...parts)));
      const seen = new Set<string>();
      for (let length = 0; length < 130; length++) seen.add(toHex(crypto.sha256(new Uint8Array(length))));
      for (let at = 0; at < one.length; at++) seen.add(toHex(crypto.sha256(flipped(one, at))));
      assert.equal(seen.size, 130 + one.length);
      assert.ok([...seen].every((hash) => hash.length === 64));
    });

    it('D3 a keyed hash and a derived key depend on all that goes in', () => {
      const [key, salt, info] = [bytes(32), bytes(32), bytes(9)];
      const macs = [crypto.hmacSha256(key, info), crypto.hmacSha256(salt, info), crypto.hmacSha256(key, salt)];
      const derived = [
        crypto.hkdfSha256(key, salt, info, 32),
        crypto.hkdfSha256(salt, salt, info, 32),
        crypto.hkdfSha256(key, info, info, 32),
        crypto.hkdfSha256(key, salt, salt, 32),
      ];
      assert.equal(new Set([...macs, ...derived].map(toHex)).size, 7);
      for (const length of [1, 32, 33, 80]) assert.equal(crypto.hkdfSha256(key, salt, info, length).length, length);
      assert.deepEqual(crypto.hkdfSha256(key, salt, info, 80).subarray(0, 32), derived[0]);
    });

    it('I1 a signature is its seed’s over its message, and anything else is none', () => {
      const [seed, message] = [bytes(32), bytes(50)];
      const publicKey = crypto.signingKeyOf(seed);
      const signature = crypto.sign(seed, message);
      assert.equal(signature.length, SIGNATURE_BYTES);
      assert.equal(publicKey.length, KEY_BYTES);
      assert.equal(crypto.isSoundSigningKey(publicKey), true);
      assert.equal(crypto.verify(publicKey, message, signature), true);
      assert.equal(crypto.verify(publicKey, message, crypto.sign(bytes(32), message)), false);
      assert.equal(crypto.verify(crypto.signingKeyOf(bytes(32)), message, signature), false);
      assert.equal(crypto.verify(publicKey, flipped(message, 49), signature), false);
      for (let at = 0; at < SIGNATURE_BYTES; at++)
        assert.equal(crypto.verify(publicKey, message, flipped(signature, at)), false);
      for (const length of [0, 31, 33]) assert.equal(crypto.verify(new Uint8Array(length), message, signature), false);
      assert.equal(crypto.verify(publicKey, message, signature.subarray(1)), false);
      assert.equal(crypto.isSoundSigningKey(new Uint8Array(32)), false);
    });

    it('K1 two agree on one secret, a third on another, and a key of low order on none', () => {
      const [a, b, c] = [bytes(32), bytes(32), bytes(32)];
      const shared = crypto.agree(a, crypto.agreementKeyOf(b));
      assert.deepEqual(crypto.agree(b, crypto.agreementKeyOf(a)), shared);
      assert.notDeepEqual(crypto.agree(c, crypto.agreementKeyOf(b)), shared);
      assert.notDeepEqual(crypto.agree(a, crypto.agreementKeyOf(c)), shared);
      assert.equal(crypto.agree(a, new Uint8Array(32)), undefined);
      assert.equal(crypto.agree(a, new Uint8Array(31)), undefined);
      const agree = crypto.agreeing(a);
      for (const key of [b, c].map((secret) => crypto.agreementKeyOf(secret)).concat(new Uint8Array(32), b.subarray(1)))
        assert.deepEqual(agree(key), crypto.agree(a, key));
    });

    for (const [seal, open, nonceBytes] of [
      ['seal', 'open', SEAL_NONCE_BYTES],
      ['sealGcm', 'openGcm', GCM_NONCE_BYTES],
    ] as const) {
      it(`K5 what ${seal} made, ${open} opens with the same key, nonce and associated data, whole or not at all`, () => {
        const [key, nonce, associated] = [bytes(32), bytes(nonceBytes), bytes(12)];
        for (const length of [0, 1, 31, 32, 100]) {
          const plaintext = bytes(length);
          const sealed = crypto[seal](key, nonce, plaintext, associated);
          assert.equal(sealed.length, length + TAG_BYTES);
          assert.deepEqual(crypto[open](key, nonce, sealed, associated), plaintext);
          assert.equal(crypto[open](bytes(32), nonce, sealed, associated), undefined);
          assert.equal(crypto[open](key, bytes(nonceBytes), sealed, associated), undefined);
          assert.equal(crypto[open](key, nonce, sealed, bytes(12)), undefined);
          for (let at = 0; at < sealed.length; at++)
            assert.equal(crypto[open](key, nonce, flipped(sealed, at), associated), undefined);
          assert.equal(crypto[open](key, nonce, sealed.subarray(0, sealed.length - 1), associated), undefined);
          if (length > 16) assert.notDeepEqual(sealed.subarray(0, length), plaintext);
        }
        assert.equal(crypto[open](key, nonce, new Uint8Array(TAG_BYTES - 1), associated), undefined);
      });
    }
  });
}
