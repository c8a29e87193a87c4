/**
 * What goes along with a word that is told alone (K2): what it rests on is in no log any more, or is not for whom it takes out. By what he holds he
 * may stand above its author, or have that for out himself; so he is told by what that one stands where he does, as far as he may lack it.
 */
import type { AccountId, DeviceId, FeedId } from '../base/ids.ts';
import { MAX_GROUNDS_TOLD } from '../protocol/limits.ts';
import type { Authority } from './authority.ts';
import { Role, takenOutBy } from './control.ts';
import { endUnder } from './endings.ts';
import type { Entrances } from './entrances.ts';
import { compareNodes, type Graph, type Node, type Vector } from './graph.ts';
import { covers } from './passage.ts';

export class Grounds {
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrances: Entrances;

  constructor(graph: Graph, authority: Authority, entrances: Entrances) {
    this.#graph = graph;
    this.#authority = authority;
    this.#entrances = entrances;
  }

  /**
   * In D6 order: what gave the author his role and his rights, and let his device in; what took down whom the word takes out (A1); and what takes out or down whom `held` goes
   * beyond the cut of, who may have said there what makes the word void (A4). Of each of these in turn what its author stands by.
   */
  of(word: Node, held: Vector): readonly Node[] {
    const isLacking = (node: Node) => !covers(held, node);
    const grounds = new Set([word]);
    for (const one of [word, ...this.#allowing(word), ...this.#takingDownTargetOf(word), ...this.#cutsBelow(held)]) {
      if (one !== word && isLacking(one)) grounds.add(one);
      for (const node of grounds)
        for (const before of this.#standingOf(node)) if (isLacking(before)) grounds.add(before);
    }
    grounds.delete(word);
    return [...grounds].slice(0, MAX_GROUNDS_TOLD).sort(compareNodes);
  }

  /** By what the author of a delta is who he is. */
  #standingOf({ delta: { device, credential } }: Node): readonly Node[] {
    const isAccepted = ({ delta: { id } }: Node) => this.#authority.verdictOf(id)?.accepted === true;
    const cited = credential && this.#graph.get(credential);
    return [this.#entrances.of(device).findLast(isAccepted), cited].flatMap((node) => node ?? []);
  }

  /** A5: by what others than managers may remove. */
  #allowing(word: Node): readonly Node[] {
    const { settings } = this.#authority;
    const isRemoval = this.#authority.controlOf(word.delta.id)?.kind === 'remove';
    if (!isRemoval || this.#authority.isManagers(word)) return [];
    return [Role.participant, Role.guest].flatMap((role) => settings.allowance('workspace', 'uninvite', role).setBy);
  }

  /** A1, A7: also how its person left, the last time: who has not heard that holds him for as senior as he was. */
  #takingDownTargetOf({ delta: { id } }: Node): readonly Node[] {
    const control = this.#authority.controlOf(id);
    if (!control) return [];
    const targets =
      control.kind === 'remove' ? [control.account] : takenOutBy(control).flatMap((one) => this.#accountOf(one));
    const { wordsOut } = this.#authority;
    const leaveOf = (account: AccountId) => wordsOut.leavesOf(account).slice(-1);
    return [...new Set(targets)].flatMap((account) => [...wordsOut.restrictionsOf(account), ...leaveOf(account)]);
  }

  /** Of who holds this: the words that leave less of a feed its effect than he has of it. */
  #cutsBelow(held: Vector): readonly Node[] {
    const onDevices = this.#authority.wordsOut.against();
    return [...held].flatMap(([feed, seq]) => {
      const [device] = feed.split('.') as [DeviceId];
      const onDevice = (onDevices.get(device) ?? []).map(({ node }) => node);
      const onPerson = this.#accountOf(device).flatMap((account) => this.#authority.wordsOut.restrictionsOf(account));
      return [...onDevice, ...onPerson].filter((word) => seq > this.#endUnder(word, feed));
    });
  }

  #endUnder(node: Node, feed: FeedId): number {
    return endUnder(this.#graph, { node, control: this.#authority.controlOf(node.delta.id)! }, feed);
  }

  #accountOf(device: DeviceId): readonly AccountId[] {
    return [this.#authority.accountOf(device) ?? []].flat();
  }
}
