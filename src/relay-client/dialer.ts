/**
 * Tries several addresses of one device (T1), after RFC 8305: in order, each with a short head start before the next, the next
 * at once where one fails. The first that proves the expected key wins; the others are let go.
 */
import type { Clock } from '../sync/ports.ts';
import type { ChannelPeer } from '../protocol/channel.ts';
import type { LinkEvents, SecureLink } from './secure-link.ts';

const HEAD_START_MS = 150;

export interface DialOutcome {
  won(link: SecureLink, peer: ChannelPeer): void;
  lost(): void;
}

export class Dialer {
  readonly #clock: Clock;
  readonly #addresses: readonly string[];
  readonly #open: (address: string, events: LinkEvents) => SecureLink | undefined;
  readonly #outcome: DialOutcome;
  readonly #links = new Set<SecureLink>();
  #next = 0;
  #over = false;
  #cancelWake: () => void = () => {};

  constructor(
    clock: Clock,
    addresses: readonly string[],
    open: (address: string, events: LinkEvents) => SecureLink | undefined,
    outcome: DialOutcome,
  ) {
    this.#clock = clock;
    this.#addresses = addresses;
    this.#open = open;
    this.#outcome = outcome;
  }

  start(): void {
    this.#tryNext();
  }

  cancel(): void {
    this.#finish();
  }

  #tryNext(): void {
    this.#cancelWake();
    while (!this.#over && this.#next < this.#addresses.length) {
      if (!this.#dial(this.#addresses[this.#next++]!)) continue;
      if (this.#next < this.#addresses.length) {
        this.#cancelWake = this.#clock.wakeAt(this.#clock.now() + HEAD_START_MS, () => this.#tryNext());
      }
      return;
    }
    if (!this.#over && this.#links.size === 0) {
      this.#finish();
      this.#outcome.lost();
    }
  }

  #dial(address: string): boolean {
    const link = this.#open(address, {
      established: (peer) => {
        if (this.#over || !link) return;
        this.#links.delete(link);
        this.#finish();
        this.#outcome.won(link, peer);
      },
      packet: () => {},
      closed: () => {
        if (link) this.#links.delete(link);
        if (!this.#over) this.#tryNext();
      },
    });
    if (link) this.#links.add(link);
    return link !== undefined;
  }

  #finish(): void {
    this.#over = true;
    this.#cancelWake();
    for (const link of [...this.#links]) link.end();
    this.#links.clear();
  }
}
