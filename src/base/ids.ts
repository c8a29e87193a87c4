/**
 * Ids are bytes on the wire and lower-case hexadecimal in memory, so that they can be keys of a Map.
 * A brand keeps one kind from standing in for another.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Ed25519 public key of an account, 32 bytes (I1). */
export type AccountId = Branded<'account'>;
/** Ed25519 public signing key of a device, 32 bytes (I1). */
export type DeviceId = Branded<'device'>;
/** Id of the genesis delta, 32 bytes. */
export type WorkspaceId = Branded<'workspace'>;
/** SHA-256 of a delta's signed bytes, 32 bytes (D3). */
export type DeltaId = Branded<'delta'>;
/** A device and a generation: `<device>.<generation>` (D2). */
export type FeedId = Branded<'feed'>;
/** A tool standing in a workspace: 8 random bytes, chosen by whoever adds it. */
export type ToolId = Branded<'tool'>;
/** HMAC of a chunk's plaintext under its generation's key, 32 bytes (F1). */
export type ChunkId = Branded<'chunk'>;

/** Whether a text is an id of a delta as we write it: 32 bytes in lower-case hexadecimal. */
export function isDeltaId(text: string): text is DeltaId {
  return /^[0-9a-f]{64}$/.test(text);
}
