import type { Transferable } from 'node:worker_threads';
import type { Event } from '../base/event.ts';

/** Messages both ways, in order, until one side closes: a MessagePort, or a local socket. */
export interface MessageDuplex {
  /** Throws MessageTooLargeError, and what structured clone throws. After the close it does nothing. */
  send(message: unknown, transfer?: readonly Transferable[]): void;
  /** Nothing is lost before the first listener comes: reading begins with it. */
  readonly onMessage: Event<unknown>;
  /** Once; with the error that ended it, if one did. A listener that comes late is called too. */
  readonly onClose: Event<Error | undefined>;
  close(): void;
}

export class MessageTooLargeError extends Error {
  override readonly name = 'MessageTooLargeError';
  readonly code = 'tooLarge';
}
