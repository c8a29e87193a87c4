/**
 * The one face of cryptography. The provider (node/, with what it lacks of noble/) implements it and is handed in, so the pure rooms
 * name what they need and never where it comes from. Every key, nonce and output is raw bytes.
 *
 * | operation | algorithm | source |
 * | --- | --- | --- |
 * | sign, verify | Ed25519, 32-byte seed and public key, 64-byte signature | RFC 8032 |
 * | agree | X25519 | RFC 7748 |
 * | seal, open | XChaCha20-Poly1305, 24-byte random nonce, 16-byte tag at the end | draft-irtf-cfrg-xchacha-03 |
 * | sealGcm, openGcm | AES-256-GCM, 12-byte nonce, 16-byte tag at the end | NIST SP 800-38D |
 * | sha256, hmac, hkdf | SHA-256 | FIPS 180-4, RFC 2104, RFC 5869 |
 */
export interface Crypto {
  randomBytes(length: number): Uint8Array;
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** The same in lower-case hexadecimal, as ids are written. */
  sha256Hex(...parts: readonly Uint8Array[]): string;
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** Public key of an Ed25519 seed. */
  signingKeyOf(seed: Uint8Array): Uint8Array;
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** False for a wrong signature and for a key or signature of the wrong shape; never an exception. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** Whether the bytes are a point of the prime-order subgroup, canonically encoded (I1: keys with torsion are refused). */
  isSoundSigningKey(publicKey: Uint8Array): boolean;
  /** Public key of an X25519 secret. */
  agreementKeyOf(secret: Uint8Array): Uint8Array;
  /** Shared secret, or undefined where the peer's key is of low order (all-zero output). */
  agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** `agree` for one secret with many keys: what is to be worked out of the secret is, once. */
  agreeing(secret: Uint8Array): (publicKey: Uint8Array) => Uint8Array | undefined;
  /** `room`: where it goes, as long as that; the plaintext may stand at its beginning. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associated: Uint8Array,
    room?: Uint8Array,
  ): Uint8Array;
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined;
  sealGcm(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array;
  openGcm(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined;
}

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const SEAL_NONCE_BYTES = 24;
export const GCM_NONCE_BYTES = 12;
export const TAG_BYTES = 16;
