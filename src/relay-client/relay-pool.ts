/**
 * One connection to each relay that is in use, whoever's it is: our own and those of the people we write to may be the same.
 * The token is no part of what tells two relays apart.
 */
import { toHex } from '../base/bytes.ts';
import { MAX_VISITED_RELAYS } from '../protocol/limits.ts';
import type { RelayAddress } from '../protocol/relay-address.ts';
import { RelayConnection } from './relay-connection.ts';
import { RelayOutbox } from './relay-outbox.ts';
import { RelayParcels } from './relay-parcels.ts';
import type { LinkContext } from './secure-link.ts';

export interface RelayEnd {
  readonly connection: RelayConnection;
  readonly outbox: RelayOutbox;
  readonly parcels: RelayParcels;
}

export class RelayPool {
  readonly #context: LinkContext;
  readonly #random: () => number;
  readonly #ends = new Map<string, RelayEnd>();

  constructor(context: LinkContext, random: () => number) {
    this.#context = context;
    this.#random = random;
  }

  at(address: RelayAddress): RelayEnd {
    const key = `${address.host.toLowerCase()}:${address.port} ${toHex(address.key)}`;
    const known = this.#ends.get(key);
    if (known) return known;
    if (this.#ends.size >= MAX_VISITED_RELAYS) this.#forgetOne();
    const connection = new RelayConnection(this.#context, address, this.#random);
    const outbox = new RelayOutbox(connection, this.#context.clock, (length) =>
      this.#context.crypto.randomBytes(length),
    );
    const end = { connection, outbox, parcels: new RelayParcels(connection) };
    this.#ends.set(key, end);
    return end;
  }

  stop(): void {
    for (const { connection } of this.#ends.values()) connection.stop();
    this.#ends.clear();
  }

  #forgetOne(): void {
    const idle = [...this.#ends].filter(([, { connection }]) => connection.isIdle);
    const [longest] = idle.sort(([, a], [, b]) => a.connection.lastUse_ms - b.connection.lastUse_ms);
    if (!longest) return;
    longest[1].connection.stop();
    this.#ends.delete(longest[0]);
  }
}
