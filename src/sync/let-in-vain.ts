/**
 * Whom nothing has let in that counts (K2, A4, N3): he was let in, in good faith, by somebody who was out, and had not heard it, or by whom such a one had
 * let in; or at the same time as somebody else by an invitation that lets in no more, or by one of somebody who was out; or as whoever let him in lost
 * the right to. No word names him: he is out by what cuts off whoever has let him in, or invited him, or has overtaken that.
 */
import type { DeviceId } from '../base/ids.ts';
import { MAX_TOLD_IN_VAIN } from '../protocol/limits.ts';
import type { Authority } from './authority.ts';
import type { Control } from './control.ts';
import type { Entrances } from './entrances.ts';
import { compareNodes, inPast, type Graph, type Node } from './graph.ts';
import type { Roster } from './roster.ts';
import type { VoidReason } from './verdict.ts';

export class LetInVain {
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrances: Entrances;

  constructor(graph: Graph, authority: Authority, entrances: Entrances) {
    this.#graph = graph;
    this.#authority = authority;
    this.#entrances = entrances;
  }

  /** What cuts off those by whose words a device is let in, and is not, or has overtaken these, in D6 order. */
  cutsOf(device: DeviceId): readonly Node[] {
    const cuts = [...this.#wordsLettingIn(device)].flatMap((word) => this.#against(word));
    return [...new Set(cuts)].sort(compareNodes);
  }

  /** Devices, other than one, that are out by such words: no more than are to be told, since anybody who may let in can make them up. */
  devices(own: DeviceId, roster: Roster): readonly DeviceId[] {
    const devices: DeviceId[] = [];
    for (const device of this.#entrances.devices()) {
      if (devices.length === MAX_TOLD_IN_VAIN) break;
      const isElsewhere = device === own || roster.devices.has(device) || roster.gone.has(device);
      if (!isElsewhere && this.cutOf(device, roster)) devices.push(device);
    }
    return devices;
  }

  /**
   * The first word that cuts off who has let a device in, where nothing that counts here ever has. Not where one that has is void for its branch
   * alone: it comes to count when others are known to have named it (D8).
   */
  cutOf(device: DeviceId, { devices }: Roster): Node | undefined {
    if (devices.has(device) || this.#entrances.of(device).some((word) => this.#isAccepted(word))) return undefined;
    const isOpen = (word: Node) => this.#graph.isUnnamed(word) && this.#against(word).length === 0;
    return [...this.#wordsLettingIn(device)].some(isOpen) ? undefined : this.cutsOf(device)[0];
  }

  /** What lets a device in, and behind a word that is void that without which its author was nobody: who had let him in may be cut off, and not he. */
  #wordsLettingIn(device: DeviceId): ReadonlySet<Node> {
    const words = new Set(this.#entrances.of(device));
    for (const word of words) {
      if (this.#against(word).length > 0) continue;
      for (const before of this.#voidUnder(word)) words.add(before);
    }
    return words;
  }

  #against(word: Node): readonly Node[] {
    const cuts = this.#authority.cutsOf(word);
    if (cuts.length > 0) return cuts;
    const overtaking = this.#overtaking(word);
    return overtaking.length > 0 ? overtaking : this.#againstInvitation(word);
  }

  /** N3: the same of the invitation by which it lets somebody in, where that is void. */
  #againstInvitation({ delta: { id } }: Node): readonly Node[] {
    const entered = this.#authority.controlOf(id);
    const invite = entered?.kind === 'admit' && entered.invite ? this.#graph.get(entered.invite) : undefined;
    return invite && this.#isVoid(invite) ? this.#against(invite) : [];
  }

  /**
   * N3, A5: what has made a word void that lets somebody in, though its author stands: others whom the invitation has let in, or who fill the workspace; or
   * who may invite is others now. Only what did not know of the word, nor it of that: what rests on it is told with it, and who knew that the
   * word's author is out knew of the word, too.
   */
  #overtaking(word: Node): readonly Node[] {
    const entered = this.#authority.controlOf(word.delta.id);
    const verdict = this.#authority.verdictOf(word.delta.id);
    if (!entered || !verdict || verdict.accepted) return [];
    return this.#authority.accepted.flatMap(({ node, control }) => {
      if (!overtakes(control, entered, verdict.reason)) return [];
      return inPast(node, word) || inPast(word, node) ? [] : node;
    });
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

function overtakes(control: Control, entered: Control, reason: VoidReason): boolean {
  if (entered.kind !== 'admit' && entered.kind !== 'addDevice' && entered.kind !== 'invite') return false;
  if (reason === 'invitation')
    return control.kind === 'admit' && entered.kind === 'admit' && control.invite === entered.invite;
  if (reason !== 'notPermitted') return false;
  if (control.kind === 'setPerm') return control.action === 'invite' && control.allow !== true;
  return entered.kind !== 'invite' && (control.kind === 'admit' || control.kind === 'addDevice');
}
