/**
 * What a copy adds up to (L6): first bytes of the hash of all rows and of the control deltas that count. Copies that hold the same agree on it, whatever they
 * have forgotten.
 */
import { toHex } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Authority } from './authority.ts';
import type { Content } from './content.ts';
import { idBytes } from './delta.ts';
import type { Graph } from './graph.ts';
import { ROOT_MARK_BYTES } from './messages.ts';

const STATE_DOMAIN = domain('state');

export class StateMark {
  readonly #crypto: Crypto;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #content: Content;
  #last: { readonly arrivals: number; readonly mark: string } | undefined;

  constructor(crypto: Crypto, graph: Graph, authority: Authority, content: Content) {
    this.#crypto = crypto;
    this.#graph = graph;
    this.#authority = authority;
    this.#content = content;
  }

  /** Costs what has changed since it was last asked for. */
  workOut(): string {
    const { known } = this;
    if (known !== undefined) return known;
    const accepted = this.#authority.accepted.map(({ node }) => node.delta.id).sort();
    const controls = this.#crypto.sha256(...accepted.map(idBytes));
    const root = this.#crypto.sha256(STATE_DOMAIN, this.#content.fold.root(this.#crypto), controls);
    const mark = toHex(root.subarray(0, ROOT_MARK_BYTES));
    this.#last = { arrivals: this.#graph.arrivals, mark };
    return mark;
  }

  /** Something is not here any more. */
  changed(): void {
    this.#last = undefined;
  }

  /** Undefined where it would have to be worked out. */
  get known(): string | undefined {
    return this.#last?.arrivals === this.#graph.arrivals ? this.#last.mark : undefined;
  }

  /** Does a share of the work, and answers whether nothing is left of it. */
  prepare(leaves: number): boolean {
    return this.#content.fold.prepareRoot(this.#crypto, leaves);
  }
}
