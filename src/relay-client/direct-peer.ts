/**
 * One other device, and the connections that stand to it.
 *
 * Both may connect at the same moment, and each sees the two connections in another order. The rule by which both choose alike:
 * of two connections made within SIMULTANEOUS_MS by different sides, the one that the lower device id began; otherwise the
 * newer (its maker has lost the older one, or he would not have made it). The other is closed by the side that began it, and
 * only after DRAIN_MS, so that nothing on its way is lost; where the two sides chose differently, neither closes the other's
 * choice and both connections serve. `reach` does not change meanwhile.
 */
import type { DeviceId } from '../base/ids.ts';
import { MAX_CONNECTIONS_PER_DEVICE } from '../protocol/limits.ts';
import type { Clock } from '../sync/ports.ts';
import type { SecureLink } from './secure-link.ts';

const SIMULTANEOUS_MS = 10_000;
const DRAIN_MS = 2_000;

interface Connection {
  readonly link: SecureLink;
  readonly since_ms: number;
}

export class DirectPeer {
  readonly device: DeviceId;
  readonly #own: DeviceId;
  readonly #clock: Clock;
  #connections: Connection[] = [];
  #current: Connection | undefined;

  constructor(own: DeviceId, device: DeviceId, clock: Clock) {
    this.#own = own;
    this.device = device;
    this.#clock = clock;
  }

  /** The connection that is sent on, if any. */
  get link(): SecureLink | undefined {
    return this.#current?.link;
  }

  get links(): readonly SecureLink[] {
    return this.#connections.map(({ link }) => link);
  }

  add(link: SecureLink): void {
    const added = { link, since_ms: this.#clock.now() };
    this.#connections.push(added);
    const before = this.#current;
    this.#current = before ? this.#better(before, added) : added;
    const oldest = this.#connections.find((connection) => connection !== this.#current);
    if (oldest && this.#connections.length > MAX_CONNECTIONS_PER_DEVICE) oldest.link.destroy();
    if (!before) return;
    const loser = this.#current === added ? before : added;
    // If it is dead, this finds out; if we began it, it is ours to close.
    loser.link.ping();
    if (loser.link.role === 'initiator') {
      this.#clock.wakeAt(this.#clock.now() + DRAIN_MS, () => {
        if (this.#current !== loser) loser.link.end();
      });
    }
  }

  /** The newest of what is left takes over. */
  remove(link: SecureLink): void {
    this.#connections = this.#connections.filter((connection) => connection.link !== link);
    if (this.#current?.link === link) this.#current = this.#connections.at(-1);
  }

  #better(before: Connection, added: Connection): Connection {
    if (before.link.role === added.link.role) return added;
    if (added.since_ms - before.since_ms >= SIMULTANEOUS_MS) return added;
    const lowerRole = this.#own < this.device ? 'initiator' : 'responder';
    return before.link.role === lowerRole ? before : added;
  }
}
