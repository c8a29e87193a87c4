/** How this device has come into a workspace (N4, I4): who have let it in, each of whom may give it the first copy, and the words by which they did. */
import type { DeltaId, DeviceId } from '../base/ids.ts';
import type { DeltaPlace } from './delta.ts';
import type { Node } from './graph.ts';
import type { Replica } from './replica.ts';

export class Entrance {
  readonly #self: DeviceId;
  readonly #replicaNow: () => Replica;
  /** Not in the roster until the first copy is here. */
  #sponsors: readonly DeviceId[] = [];
  #words: readonly DeltaPlace[] = [];

  constructor(self: DeviceId, replica: () => Replica) {
    this.#self = self;
    this.#replicaNow = replica;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /** The words are often one. Another of them may never come: its author was taken out himself meanwhile. */
  by(sponsors: readonly DeviceId[], words: Iterable<DeltaPlace>): void {
    this.#sponsors = sponsors;
    this.#words = [...words];
  }

  isSponsor(device: DeviceId): boolean {
    return this.#sponsors.includes(device);
  }

  /** He gives another copy (L6). It may be older than what was here, and know less of who is in: he gives what comes after it, and is a peer till that has come. */
  add(sponsor: DeviceId): void {
    if (!this.#replica.roster.devices.has(sponsor)) this.#sponsors = [...this.#sponsors, sponsor];
  }

  /**
   * I4, L7: what it writes before the word that let it in is here would be beyond the cut of what had taken it out before. Where who has told it
   * of that word has been taken out himself, and it is not here, it may be beyond his own cut, and never come: this device is in by another then. Not
   * where it is of a feed that he may have begun when he was in again: that, and what has let him in, may be right behind.
   * So it is where its author has lost it, and what took the device out with it, and goes on in a later feed (D2).
   */
  get isOutside(): boolean {
    const { feeds, people } = this.#replica;
    if (this.#words.some(({ id }) => this.#replica.node(id))) return false;
    const isOut = this.#sponsors.length > 0 && this.#sponsors.every((one) => people.wasTakenOut(one));
    if (isOut && this.#words.every((word) => people.isCutShort(word))) return false;
    return this.#words.some((word) => !feeds.isLeftBehind(word));
  }

  /** The words, as long as one of them is waited for: what they rest on is taken then, whatever this device had said before (`intake.ts`). */
  get awaited(): readonly DeltaId[] {
    return this.isOutside ? this.#words.map(({ id }) => id) : [];
  }

  /** Who have let it in, as peers; or, of who turns out to be let in by nothing that counts, the words that cut off who has let him in. */
  *sponsors(): Generator<readonly [DeviceId, readonly Node[] | undefined]> {
    for (const sponsor of this.#sponsors) {
      const words = this.#isOutsider(sponsor) ? this.#replica.people.cutsOfWhoLetIn(sponsor) : undefined;
      yield [sponsor, words];
    }
  }

  /**
   * K2: whether all that lets a device in is here, as that of who has let this one in is, and none of it counts, though no word takes it out: it is told what
   * cuts off who has let it in, and nothing after that.
   */
  #isOutsider(device: DeviceId): boolean {
    const { roster } = this.#replica;
    if (this.isOutside || !roster.devices.has(this.#self) || roster.gone.has(device)) return false;
    return this.#replica.people.isLetIn(device) && !roster.devices.has(device);
  }
}
