/** Whom each invitation has let in, as far as the pass has come, and whether it may let somebody in still (N3). */
import { push } from '../base/group.ts';
import type { AccountId, DeltaId } from '../base/ids.ts';
import type { ControlWords } from './control-words.ts';
import { Role, type Control } from './control.ts';
import { inPast, type Node } from './graph.ts';
import { compareEntries, type Entry } from './seniority.ts';
import { ACCEPTED, refused, type Verdict } from './verdict.ts';

/** Somebody let in by an invitation. */
interface Use {
  readonly account: AccountId;
  readonly node: Node;
}

interface Invite {
  readonly node: Node;
  readonly control: Control & { kind: 'invite' };
}

export class InviteUses {
  readonly #words: ControlWords;
  /** Accepted admits of each invitation. */
  readonly #uses = new Map<DeltaId, Use[]>();

  constructor(words: ControlWords) {
    this.#words = words;
  }

  /** Of a new pass. */
  restart(): void {
    this.#uses.clear();
  }

  /** An admit that names the invitation is accepted. */
  take(invite: DeltaId, use: Use): void {
    if (!this.#isShared(invite, use)) push(this.#uses, invite, use);
  }

  /** How many people an invitation has let in. */
  countOf(invite: DeltaId): number {
    return this.#uses.get(invite)?.length ?? 0;
  }

  /** N3: of concurrent admits on one use the first in A6 order stands; a revocation in its past voids it. */
  judge(node: Node, admit: Control & { kind: 'admit' }, id: DeltaId): Verdict {
    const invite = this.seenFrom(node, id);
    const entry = this.#words.entryOf({ node, control: admit })!;
    if (!invite || admit.role !== invite.control.role || this.#isRevoked(invite.node, entry))
      return refused('invitation');
    if (this.#isShared(id, { account: admit.account, node })) return ACCEPTED;
    return this.countOf(id) < invite.control.uses ? ACCEPTED : refused('invitation');
  }

  /**
   * Two who are asked by the same person and do not know of each other both let him in: that is one use. Were the later one
   * void, so would be what he has written meanwhile upon its credential.
   */
  #isShared(invite: DeltaId, { account, node }: Use): boolean {
    return (this.#uses.get(invite) ?? []).some(
      (use) => use.account === account && !inPast(use.node, node) && !inPast(node, use.node),
    );
  }

  /** An invitation in the past, unless it is known to be void. A junior's is judged later: the admitter, who has the right himself, vouches. */
  seenFrom(view: Node, id: DeltaId): Invite | undefined {
    const found = this.#words.get(id);
    if (found?.control.kind !== 'invite' || !inPast(found.node, view)) return undefined;
    return this.#words.isVoid(id) ? undefined : { node: found.node, control: found.control };
  }

  #isRevoked(invite: Node, entry: Entry): boolean {
    return this.#words.revocationsOf(invite.delta.id).some((one) => {
      const own = this.#words.entryOf(one);
      if (!own || !inPast(one.node, entry.node)) return false;
      if (compareEntries(own, entry) < 0) return this.#words.verdictOf(one.node.delta.id)?.accepted === true;
      // A junior's is judged later. Who cites somebody else's credential, or has not seen the invitation, says nothing by it.
      if (!this.#words.isPendingBehind(one, entry) || !inPast(invite, one.node)) return false;
      const isOwn = this.#words.namedAuthorOf(one.node) === this.#words.namedAuthorOf(invite);
      return isOwn || own.key.role === Role.manager;
    });
  }
}
