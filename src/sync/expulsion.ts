/**
 * The word that took this device out of its workspace: one that is here, be it beside others that took it out or beyond what lets it in; or one that
 * another device of its person's says (K2).
 */
import type { AccountId, DeltaId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { readControl } from './control.ts';
import { checkSignature, readDelta, type Delta } from './delta.ts';
import { outsideOf } from './told-words.ts';
import type { Node } from './graph.ts';
import type { Replica } from './replica.ts';
import { pastOf } from './waiting.ts';

interface Self {
  readonly account: AccountId;
  readonly device: DeviceId;
}

export class Expulsion {
  readonly #crypto: Crypto;
  readonly #identity: Self;
  readonly #replicaNow: () => Replica;
  /** The word by which he is out, as another device of this person's says, or he himself has, in what is lost here. */
  #told: Node | undefined;

  constructor(crypto: Crypto, identity: Self, replica: () => Replica) {
    this.#crypto = crypto;
    this.#identity = identity;
    this.#replicaNow = replica;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /**
   * The word that took this device out of the workspace; also where it has been let in again, and had written on meanwhile (L7). What others have
   * said goes before a leave of its own: who has not seen that and has taken the device out never takes it.
   */
  get word(): Node | undefined {
    const { device, account } = this.#identity;
    const gone = this.#replica.roster.gone.get(device);
    if (gone && gone.delta.kind !== 'leave') return gone;
    const beside = gone && this.#replica.people.takenOutBeside(gone, device);
    if (beside) return beside;
    const word = this.#replica.people.wordAgainst(device, account) ?? gone ?? this.#replica.people.endOfOwn;
    // Who has let it in may be cut off by another, whom he has cut off with it.
    return word ?? this.#replica.people.wordOnStranger(device) ?? this.#farewell;
  }

  /**
   * K2, A4: the word that cuts off who has let this device in, where nothing that counts here ever has: it is out with him, though no word names it. Another
   * word that lets it in may be right behind, so it is believed when nothing more comes; or never come, as its author is out, too.
   */
  get onSponsor(): Node | undefined {
    return this.#replica.people.cutOfWhoLetIn(this.#identity.device);
  }

  /**
   * K2: another device of this person's, whose copy is gone, says by what word he is out. What that rests on may never come here, so it is believed
   * as it stands: the other could have said a leave itself. Not where it is known here, and counts or not. Answers
   * whether it is believed.
   */
  hear(bytes: Uint8Array, from: DeviceId): boolean {
    const { workspace } = this.#replica;
    const delta = readDelta(this.#crypto, workspace, bytes);
    if (!delta.ok || !checkSignature(this.#crypto, workspace, delta.value)) return false;
    if (!this.#takesOutPerson(delta.value, from)) return false;
    this.#told = outsideOf(delta.value);
    return this.#farewell !== undefined;
  }

  /**
   * A7, D2: what something here rests on is folded elsewhere, or those who have that do not give it however often they are asked. A leave of this person's that waits for that
   * can never come in: the store was put back to before it was said. His own word he need not doubt.
   */
  hearLost(ids: Iterable<DeltaId>): void {
    const lost = new Set(ids);
    if (lost.size === 0) return;
    const leaves = this.#replica.people.leavesWaiting(this.#identity.account);
    const leave = leaves.find((delta) => pastOf(delta).some((id) => lost.has(id)));
    if (leave) this.#told = outsideOf(leave);
  }

  #takesOutPerson(delta: Delta, from: DeviceId): boolean {
    const { account } = this.#identity;
    const control = readControl(this.#crypto, delta);
    if (control?.kind === 'remove') return control.account === account;
    if (control?.kind !== 'leave') return false;
    const { people } = this.#replica;
    // What has let the other in may not have come here.
    return people.accountOf(delta.device) === undefined
      ? delta.device === from
      : people.speaksFor(delta.device, account);
  }

  /** Of control deltas none is forgotten (L4). */
  get #farewell(): Node | undefined {
    return this.#told && !this.#replica.node(this.#told.delta.id) ? this.#told : undefined;
  }
}
