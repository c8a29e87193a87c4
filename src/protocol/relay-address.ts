/**
 * A relay's address, as a person pastes it into `coterie.relay` and as an invitation carries it:
 * `coterie-relay://host[:port]/<static X25519 key, base64url>[/<registration token>]`.
 * The port names the first rung of the ladder (T1); the key is pinned: whoever answers must prove it.
 */
import { fromBase64Url, toBase64Url } from '../base/bytes.ts';
import { MAX_ADDRESS_BYTES } from './limits.ts';

export const DEFAULT_PORT = 2492;

export interface RelayAddress {
  readonly host: string;
  readonly port: number;
  /** X25519 static key of the relay, 32 bytes. */
  readonly key: Uint8Array;
  /** Token that lets a device register; empty where the relay needs none or it is not ours to hand on. */
  readonly token: string;
}

const FORM =
  /^coterie-relay:\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?\/([A-Za-z0-9_-]{43})(?:\/([A-Za-z0-9_-]{1,128}))?\/?$/;

export function readRelayAddress(text: string): RelayAddress | undefined {
  if (text.length > MAX_ADDRESS_BYTES) return undefined;
  const parts = FORM.exec(text.trim());
  const key = parts && fromBase64Url(parts[3]!);
  const port = parts?.[2] === undefined ? DEFAULT_PORT : Number(parts[2]);
  if (!parts || !key || port < 1 || port > 65_535) return undefined;
  const host = parts[1]!;
  // A name that ends in a number and is no IPv4 address (999.1.1.1, a.5) is none that could be dialled.
  if (!URL.canParse(`ws://${host}:${port}`)) return undefined;
  return { host, port, key, token: parts[4] ?? '' };
}

export function writeRelayAddress(address: RelayAddress): string {
  const token = address.token === '' ? '' : `/${address.token}`;
  return `coterie-relay://${address.host}:${address.port}/${toBase64Url(address.key)}${token}`;
}
