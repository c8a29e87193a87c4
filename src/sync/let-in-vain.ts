/**
 * Whom nothing has let in that counts (K2, A4): he was let in, in good faith, by somebody who was out, and had not heard it, or by whom such a one had
 * let in. No word names him: he is out by what cuts off whoever has let him in.
 */
import type { DeviceId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { Entrances } from './entrances.ts';
import { compareNodes, inPast, type Graph, type Node } from './graph.ts';
import type { Roster } from './roster.ts';

export class LetInVain {
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrances: Entrances;

  constructor(graph: Graph, authority: Authority, entrances: Entrances) {
    this.#graph = graph;
    this.#authority = authority;
    this.#entrances = entrances;
  }

  /** What cuts off those by whose words a device is let in, and is not, in D6 order. */
  cutsOf(device: DeviceId): readonly Node[] {
    const cuts = [...this.#wordsLettingIn(device)].flatMap((word) => this.#authority.cutsOf(word));
    return [...new Set(cuts)].sort(compareNodes);
  }

  /**
   * The first word that cuts off who has let a device in, where nothing that counts here ever has. Not where one that has is void for its branch
   * alone: it comes to count when others are known to have named it (D8).
   */
  cutOf(device: DeviceId, { devices }: Roster): Node | undefined {
    if (devices.has(device) || this.#entrances.of(device).some((word) => this.#isAccepted(word))) return undefined;
    const isOpen = (word: Node) => this.#graph.isUnnamed(word) && this.#authority.cutsOf(word).length === 0;
    return [...this.#wordsLettingIn(device)].some(isOpen) ? undefined : this.cutsOf(device)[0];
  }

  /** Devices that nothing lets in which counts, and something that rests on what has let another one in. */
  upon(device: DeviceId, { devices, gone }: Roster): readonly DeviceId[] {
    const own = new Set(this.#entrances.of(device));
    const others = [...this.#entrances.devices()].filter(
      (other) => other !== device && !devices.has(other) && !gone.has(other),
    );
    return others.filter((other) => [...this.#wordsLettingIn(other)].some((word) => own.has(word)));
  }

  /** What lets a device in, and behind a word that is void that without which its author was nobody: who had let him in may be cut off, and not he. */
  #wordsLettingIn(device: DeviceId): ReadonlySet<Node> {
    const words = new Set(this.#entrances.of(device));
    for (const word of words) {
      if (this.#authority.cutsOf(word).length > 0) continue;
      for (const before of this.#voidUnder(word)) words.add(before);
    }
    return words;
  }

  /** The credential that a delta cites, and all that lets its device in, where they are void. */
  #voidUnder(node: Node): readonly Node[] {
    const { credential, device } = node.delta;
    const cited = credential && this.#graph.get(credential);
    const letIn = this.#entrances.of(device).filter((entrance) => inPast(entrance, node));
    const isVoid = (word: Node) => this.#isVoid(word);
    return [...(cited && isVoid(cited) ? [cited] : []), ...(letIn.every(isVoid) ? letIn : [])];
  }

  #isAccepted({ delta }: Node): boolean {
    return this.#authority.verdictOf(delta.id)?.accepted === true;
  }

  #isVoid({ delta }: Node): boolean {
    return this.#authority.verdictOf(delta.id)?.accepted === false;
  }
}
