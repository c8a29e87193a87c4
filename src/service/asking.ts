/**
 * Asking to be let in (N2), or to be one of a person's devices (I2): the same words to whoever may answer, on every path, until there is
 * an answer.
 */
import type { DeltaId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import type { SealKey } from '../sync/envelope.ts';
import type { Message } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import type { Hub } from './hub.ts';
import { sayByRelay, sayDirectly } from './sealed-words.ts';

/** Direct paths open and close: a second asking costs nothing. */
const ASK_AGAIN_MS = 5_000;
/** A queue keeps what it was given. */
const RELAY_ASK_AGAIN_MS = 10 * 60_000;

export interface AskingOptions {
  readonly hub: Hub;
  readonly seal: SealKey;
  readonly routes: readonly Route[];
  /** Who asks, as others are to see him. */
  name(): string;
  /** The words that it is said after (N2). */
  since(): readonly DeltaId[];
  sign(certificate: Uint8Array, since: readonly DeltaId[]): Uint8Array;
  /** Somebody, or somebody's relay, has it. */
  onAsked(): void;
}

export class Asking {
  readonly #options: AskingOptions;
  #relayAskedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /** Now, and again until `stop`; after that not any more. */
  ask(): void {
    this.#cancel?.();
    if (this.#stopped) return;
    const { hub, seal, routes } = this.#options;
    const message = this.#message();
    const devices = routes.map(({ device }) => device);
    if (sayDirectly(hub, seal, devices, message)) this.#options.onAsked();
    else void this.#askByRelay(message);
    this.#cancel = hub.clock.wakeAt(hub.clock.now() + ASK_AGAIN_MS, () => this.ask());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** What was asked lies in a queue under another name, or is answered, or is to be said after something else. */
  askAnew(): void {
    this.#relayAskedAt = Number.NEGATIVE_INFINITY;
    this.ask();
  }

  #message(): Message {
    const { hub } = this.#options;
    const { certificate } = hub.identity;
    const since = this.#options.since();
    return {
      kind: 'join',
      certificate: certificate.bytes,
      name: this.#options.name(),
      relay: hub.relay() ?? '',
      addresses: hub.transport.listening.slice(0, 16),
      since,
      signature: this.#options.sign(certificate.bytes, since),
    };
  }

  async #askByRelay(message: Message): Promise<void> {
    const { hub, seal, routes } = this.#options;
    const now = hub.clock.now();
    const to = routes.flatMap(({ device, relay }) => (relay === undefined ? [] : [{ device, relay }]));
    // The answer comes to our own queue: without one connected, asking by relay is in vain.
    if (to.length === 0 || hub.transport.relayState.state !== 'connected') return;
    if (isRecent(this.#relayAskedAt, RELAY_ASK_AGAIN_MS, now)) return;
    this.#relayAskedAt = now;
    const outcomes = await sayByRelay(hub, seal, to, message);
    if (outcomes.includes('ok')) this.#options.onAsked();
    else this.#relayAskedAt = Number.NEGATIVE_INFINITY;
  }
}
