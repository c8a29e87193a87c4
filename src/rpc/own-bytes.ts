import type { Transferable } from 'node:worker_threads';
import { MessageTooLargeError } from './port.ts';
import { MAX_RPC_MESSAGE_BYTES } from './rpc-limits.ts';

/** Below this, copying in the clone is cheaper than handing over. */
const WORTH_HANDING_OVER_BYTES = 64 * 1024;

/**
 * A value that is bytes is copied once into bytes of its own, which can then be handed over without another copy. The
 * copy is needed: what the sender holds may be a view of something larger, which would be cloned whole, or be used on.
 */
export function withOwnBytes(value: unknown): { readonly value: unknown; readonly transfer: readonly Transferable[] } {
  if (!(value instanceof Uint8Array)) return { value, transfer: [] };
  if (value.length > MAX_RPC_MESSAGE_BYTES) throw new MessageTooLargeError('bytes beyond the size of a message');
  const bytes = new Uint8Array(value);
  return { value: bytes, transfer: bytes.length >= WORTH_HANDING_OVER_BYTES ? [bytes.buffer] : [] };
}
