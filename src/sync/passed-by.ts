/**
 * What waits for something that is folded here without it, and cannot come in any more: whether it may count for others (L4, L6). Then this copy
 * has folded what they have not, and is out of step.
 */
import type { DeltaId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_PASSED_BY_LOOKS } from '../protocol/limits.ts';
import { certificatesIn, readControl } from './control.ts';
import type { Delta } from './delta.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import { pastOf } from './waiting.ts';

export interface PassedByOptions {
  readonly crypto: Crypto;
  readonly graph: Graph;
  /** The control deltas here that let a device in, whatever their verdict. */
  readonly entrancesOf: (device: DeviceId) => readonly Node[];
  /** Beyond an end of its feed that all have acknowledged (A4, D2, D8). */
  readonly isBarred: (delta: Delta) => boolean;
}

export class PassedBy {
  readonly #options: PassedByOptions;

  constructor(options: PassedByOptions) {
    this.#options = options;
  }

  /**
   * Whether what waits for something forgotten, or what waits for that in turn, may count elsewhere. What is beyond an end of its feed does not by
   * itself: it is here for what waits for it; nor does what its author had begun upon the word of who was out (I4). What
   * nothing has let in where its author stood counts nowhere, nor what rests on it: anybody can make it up.
   */
  mayCount(delta: Delta): boolean {
    const looks = { left: MAX_PASSED_BY_LOOKS };
    const seen = new Set([delta]);
    for (const one of seen) {
      if (looks.left-- <= 0) return false;
      const isBarred = this.#options.isBarred(one);
      if (!isBarred && this.#mayCountItself(one)) return true;
      if (isBarred || this.#isLetIn(one, looks))
        for (const waiter of this.#options.graph.waitersOf(one)) seen.add(waiter);
    }
    return false;
  }

  /**
   * Whoever is let in by words that have come since has all that is forgotten in his past with them (I4), and names nothing of it; what his device
   * has written before, let in by what is void, counts nowhere.
   */
  #mayCountItself({ device, feed }: Delta): boolean {
    const { graph, entrancesOf } = this.#options;
    return graph.tip(feed) !== undefined || entrancesOf(device).some((entrance) => !graph.coversCut(entrance));
  }

  /** I4: whether what it rests on, here or waiting, lets its device in. */
  #isLetIn(delta: Delta, looks: { left: number }): boolean {
    const { graph, entrancesOf } = this.#options;
    const entrances = entrancesOf(delta.device);
    const seen = new Set<DeltaId>(pastOf(delta));
    for (const id of seen) {
      if (looks.left-- <= 0) return false;
      const node = graph.get(id);
      if (node && entrances.some((entrance) => entrance === node || inPast(entrance, node))) return true;
      const waiting = node ? undefined : graph.waitingDelta(id);
      if (waiting && this.#lets(waiting, delta.device)) return true;
      for (const past of waiting ? pastOf(waiting) : []) seen.add(past);
    }
    return false;
  }

  #lets(waiting: Delta, device: DeviceId): boolean {
    if (waiting.tool !== undefined || (waiting.kind !== 'admit' && waiting.kind !== 'addDevice')) return false;
    const control = readControl(this.#options.crypto, waiting);
    return control !== undefined && certificatesIn(control).some((certificate) => certificate.device === device);
  }
}
