import type { MessagePort, Transferable } from 'node:worker_threads';
import { Emitter } from '../base/event.ts';
import { OnceEvent } from './once-event.ts';
import type { MessageDuplex } from './port.ts';

/** The duplex between a window's host and the worker thread beside it. */
export class MessagePortDuplex implements MessageDuplex {
  readonly #port: MessagePort;
  readonly #messages = new Emitter<unknown>();
  readonly #closed = new OnceEvent<Error | undefined>();
  #reading = false;
  readonly onClose = this.#closed.event;

  constructor(port: MessagePort) {
    this.#port = port;
    port.once('close', () => this.#closed.fire(undefined));
    port.once('messageerror', (error) => this.#end(error));
  }

  readonly onMessage = (listener: (message: unknown) => void) => {
    const subscription = this.#messages.event(listener);
    if (!this.#reading) {
      this.#reading = true;
      this.#port.on('message', (message) => this.#messages.fire(message));
    }
    return subscription;
  };

  send(message: unknown, transfer: readonly Transferable[] = []): void {
    if (!this.#closed.fired) this.#port.postMessage(message, transfer);
  }

  close(): void {
    this.#end(undefined);
  }

  #end(error: Error | undefined): void {
    this.#port.close();
    this.#closed.fire(error);
  }
}
