/**
 * What waits for something that is folded here without it, and cannot come in any more: whether it may count for others (L4, L6). Then this copy
 * has folded what they have not, and is out of step.
 *
 * A member can have a great deal wait, and send what it waits for again and again. So each delta is looked at once, whatever else is asked at
 * the same time, and not again before something has come or gone; and nothing is left out for being too much, or one could hide the rest by it.
 */
import type { DeltaId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { certificatesIn, readControl } from './control.ts';
import type { Delta } from './delta.ts';
import { inPast, type Graph, type Node, type Vector } from './graph.ts';
import { pastOf } from './waiting.ts';

export interface PassedByOptions {
  readonly crypto: Crypto;
  readonly graph: Graph;
  /** The control deltas here that let a device in, whatever their verdict, and that it was not taken out after. */
  readonly entrancesOf: (device: DeviceId) => readonly Node[];
  /** Beyond an end of its feed that all have acknowledged (A4, D2, D8). */
  readonly isBarred: (delta: Delta) => boolean;
}

/** Devices, by a bit of each. */
type Devices = bigint;
const NOBODY: Devices = 0n;

export class PassedBy {
  readonly #options: PassedByOptions;
  /** From here nothing was found that counts, as long as nothing comes or goes. */
  #inVain: ReadonlySet<Delta> = new Set();
  /** The same, where it was found upon what its own device has beyond an end, or denies by. */
  #inVainOfOwn: ReadonlySet<Delta> = new Set();
  #seenAt: { readonly arrivals: number; readonly turns: number; readonly cut: Vector } | undefined;

  constructor(options: PassedByOptions) {
    this.#options = options;
  }

  /**
   * Whether of what waits for something forgotten, or of what waits for that in turn, something may count elsewhere. What is beyond an end of its feed does not by
   * itself: it is here for what waits for it; nor does what its author had begun upon the word of who was out (I4), nor a later feed of a device that is
   * known to have acknowledged what is forgotten (D2): it denies that, and anybody can begin one. What its own device has upon these does not say that anybody
   * has taken them: what another has does. What
   * nothing has let in where its author stood counts nowhere, nor what rests on it: anybody can make it up.
   */
  mayCount(waiters: Iterable<Delta>): boolean {
    const { graph, isBarred } = this.#options;
    this.#forgetOld();
    const seen = new Set([...waiters].filter((waiter) => !this.#inVain.has(waiter)));
    /** Of these what is found yet, by its own device, upon what does not count by itself. */
    const ofOwn = new Set<Delta>();
    /** Worked out for all at once, where one asks for it. */
    let letIn: ReadonlySet<Delta> | undefined;
    for (const one of seen) {
      const isOut = isBarred(one) || this.#isDenial(one);
      const counts = !isOut && this.#mayCountItself(one);
      if (counts && !ofOwn.has(one)) return true;
      if (!isOut && !counts && !(letIn ??= this.#lettingIn()).has(one)) continue;
      const needsOther = isOut || ofOwn.has(one);
      for (const waiter of graph.waitersOf(one))
        this.#lookAt(waiter, needsOther && waiter.device === one.device, seen, ofOwn);
    }
    if (seen.size > 0) this.#inVain = new Set([...this.#inVain, ...seen].filter((one) => !ofOwn.has(one)));
    if (ofOwn.size > 0) this.#inVainOfOwn = new Set([...this.#inVainOfOwn, ...ofOwn]);
    return false;
  }

  /** It is looked at once more where it turns out to rest on something else, too. */
  #lookAt(waiter: Delta, isOfOwn: boolean, seen: Set<Delta>, ofOwn: Set<Delta>): void {
    if (this.#inVain.has(waiter) || (isOfOwn && (seen.has(waiter) || this.#inVainOfOwn.has(waiter)))) return;
    if (isOfOwn) ofOwn.add(waiter);
    else if (ofOwn.delete(waiter)) seen.delete(waiter);
    seen.add(waiter);
  }

  /** What is an end of a feed is others now. */
  endsChanged(): void {
    this.#seenAt = undefined;
  }

  #forgetOld(): void {
    const { graph } = this.#options;
    const now = { arrivals: graph.arrivals, turns: graph.waitingTurns, cut: graph.cut() };
    const before = this.#seenAt;
    if (before?.arrivals === now.arrivals && before.turns === now.turns && before.cut === now.cut) return;
    this.#seenAt = now;
    this.#inVain = new Set();
    this.#inVainOfOwn = new Set();
  }

  #isDenial({ device, generation }: Delta): boolean {
    const { graph } = this.#options;
    return graph
      .lanesOf(device)
      .some(({ generation: before, tip }) => before < generation && tip !== undefined && graph.coversCut(tip));
  }

  /**
   * Whoever is let in by words that have come since has all that is forgotten in his past with them (I4), and names nothing of it; what his device
   * has written before, let in by what is void, counts nowhere.
   */
  #mayCountItself({ device, feed }: Delta): boolean {
    const { graph, entrancesOf } = this.#options;
    return graph.tip(feed) !== undefined || entrancesOf(device).some((entrance) => !graph.coversCut(entrance));
  }

  /** I4: of all that waits what rests on something, here or waiting, that lets its device in. */
  #lettingIn(): ReadonlySet<Delta> {
    const { graph, entrancesOf } = this.#options;
    const bits = this.#bitsOfUnheard();
    const here = [...bits].flatMap(([device, bit]) => entrancesOf(device).map((entrance) => ({ entrance, bit })));
    const letIn = new Set<Delta>();
    /** What it rests on, itself included, lets in. */
    const lets = new Map<DeltaId, Devices>();
    for (const one of graph.waitingInOrder()) {
      let those = NOBODY;
      for (const id of pastOf(one)) {
        if (!lets.has(id)) lets.set(id, letInBefore(graph.get(id), here));
        those |= lets.get(id)!;
      }
      if (those & (bits.get(one.device) ?? NOBODY)) letIn.add(one);
      for (const device of this.#letInBy(one)) those |= bits.get(device) ?? NOBODY;
      lets.set(one.id, those);
    }
    return letIn;
  }

  /** Of devices of which nothing is here, and something waits, those that some word lets in, here or waiting: others anybody can make up, thousands at a time. */
  #bitsOfUnheard(): ReadonlyMap<DeviceId, Devices> {
    const { graph, entrancesOf } = this.#options;
    const letInByWaiting = new Set([...graph.waitingDeltas()].flatMap((one) => this.#letInBy(one)));
    const isNamed = (device: DeviceId) => letInByWaiting.has(device) || entrancesOf(device).length > 0;
    const bits = new Map<DeviceId, Devices>();
    for (const one of graph.waitingDeltas())
      if (!bits.has(one.device) && isNamed(one.device) && !this.#mayCountItself(one))
        bits.set(one.device, 1n << BigInt(bits.size));
    return bits;
  }

  /** By a word that waits. */
  #letInBy(waiting: Delta): readonly DeviceId[] {
    if (waiting.tool !== undefined || (waiting.kind !== 'admit' && waiting.kind !== 'addDevice')) return [];
    const control = readControl(this.#options.crypto, waiting);
    return control ? certificatesIn(control).map(({ device }) => device) : [];
  }
}

/** Of words that are here. */
function letInBefore(
  node: Node | undefined,
  here: readonly { readonly entrance: Node; readonly bit: Devices }[],
): Devices {
  let those = NOBODY;
  for (const { entrance, bit } of node ? here : []) if (entrance === node || inPast(entrance, node!)) those |= bit;
  return those;
}
