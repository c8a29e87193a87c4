/**
 * What people carry from one machine to another as text, an invitation or a link code: deterministic CBOR followed by the first
 * 4 bytes of its SHA-256, in base64url. What was cut or mistyped is told from a foreign one, and what mail programs do to a long
 * word is undone.
 */
import { concatBytes, equalBytes, fromBase64Url, toBase64Url, toHex } from '../base/bytes.ts';
import type { DeviceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asArray, asBytes, asList, asText, decode, encode, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESSES, MAX_ADDRESS_BYTES } from '../protocol/limits.ts';
import { idBytes } from './delta.ts';
import type { Route } from './ports.ts';

export interface TextError {
  readonly tag: 'foreign' | 'damaged';
}

const CHECK_BYTES = 4;
const MAX_TEXT = 16_384;
const MAX_FIELDS = 32;

export function writeChecked(crypto: Crypto, fields: readonly Value[]): string {
  const body = encode([...fields]);
  return toBase64Url(concatBytes(body, crypto.sha256(body).subarray(0, CHECK_BYTES)));
}

/** Takes a whole link, the content of a file, or the bare text, also as mail programs break, quote and bracket them. */
export function readChecked(crypto: Crypto, text: string): Result<readonly Value[], TextError> {
  if (text.length > MAX_TEXT) return err({ tag: 'foreign' });
  const candidates = candidatesIn(text);
  for (const candidate of candidates) {
    const body = bodyOf(crypto, candidate);
    const decoded = body && decode(body);
    const fields = decoded?.ok ? asArray(decoded.value, 1, MAX_FIELDS) : undefined;
    if (body) return fields ? ok(fields) : err({ tag: 'damaged' });
  }
  return err({ tag: candidates.length > 0 || /coterie/i.test(text) ? 'damaged' : 'foreign' });
}

/** Long words as they stand; and all that follows the last `#` or the head of a file, without what breaks it. */
function candidatesIn(text: string): readonly string[] {
  const whole = text.match(/[A-Za-z0-9_-]{64,}/g) ?? [];
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^[\s>]+/, ''));
  const joined = lines.filter((line) => !line.startsWith('-----')).join('');
  const rest = joined.slice(Math.max(joined.lastIndexOf('#'), joined.lastIndexOf('?')) + 1).replaceAll(/\s/g, '');
  return /^[A-Za-z0-9_-]{64,}$/.test(rest) ? [...whole, rest] : whole;
}

function bodyOf(crypto: Crypto, text: string): Uint8Array | undefined {
  const bytes = fromBase64Url(text);
  const body = bytes?.subarray(0, -CHECK_BYTES);
  if (!bytes || !body) return undefined;
  return equalBytes(crypto.sha256(body).subarray(0, CHECK_BYTES), bytes.subarray(-CHECK_BYTES)) ? body : undefined;
}

/** [device 32, relay address or empty, [direct address …]] */
export function routeValue({ device, relay, addresses }: Route): Value {
  return [idBytes(device), relay ?? '', [...addresses]];
}

export function readRoute(value: Value): Route | undefined {
  const f = asArray(value, 3);
  const [device, relay] = [asBytes(f?.[0], KEY_BYTES), asText(f?.[1], MAX_ADDRESS_BYTES)];
  const addresses = asList(f?.[2], MAX_ADDRESSES, (address) => asText(address, MAX_ADDRESS_BYTES));
  if (!device || relay === undefined || !addresses) return undefined;
  return { device: toHex(device) as DeviceId, relay: relay === '' ? undefined : relay, addresses };
}
