/**
 * What this device writes into a copy (D1, D9): whether it would count, and how it gets in. What it says, and in which feed, is of `own-feed.ts`.
 */
import { assert } from '../base/assert.ts';
import type { DeviceId, ToolId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { Content } from './content.ts';
import type { DeltaReader, Signer } from './delta.ts';
import type { Door } from './door.ts';
import type { Endings } from './endings.ts';
import type { FoldVerdict } from './fold.ts';
import type { Graph, Node } from './graph.ts';
import { ACK, type Entry, type OwnFeed } from './own-feed.ts';
import type { Transaction } from './reducer.ts';
import type { Serving } from './serving.ts';

export interface WritingOptions {
  readonly door: Door;
  readonly reader: DeltaReader;
  readonly graph: Graph;
  readonly authority: Authority;
  readonly content: Content;
  readonly endings: Endings;
  readonly own: OwnFeed;
  readonly serving: Serving;
}

export class Writing {
  readonly #options: WritingOptions;

  constructor(options: WritingOptions) {
    this.#options = options;
  }

  /** Why the first of these that would have no effect would have none, or undefined where all would be accepted, one upon the other. */
  wouldRefuse(device: DeviceId, entries: readonly Entry[], now: number): Exclude<FoldVerdict, 'applied'> | undefined {
    const { authority, content, door, endings, own } = this.#options;
    door.settle();
    // D8: a feed with two histories cannot go on: nobody would take it.
    if (endings.forked.has(device)) return 'forked';
    const stages = new Map<ToolId, Transaction>();
    for (const [i, entry] of entries.entries()) {
      const draft = own.draft(device, entry, i, now);
      const { tool } = entry;
      if (tool === undefined) {
        const verdict = authority.judgeDraft(draft);
        if (!verdict.accepted) return verdict.reason;
        continue;
      }
      const stage = stages.get(tool) ?? content.fold.rehearsal(tool);
      stages.set(tool, stage);
      const verdict = content.rehearse(draft, stage);
      if (verdict !== 'applied') return verdict;
    }
    return undefined;
  }

  /** Signs entries as the next deltas of the own feed, with the acks that are to go before them, and takes them in. */
  author(signer: Signer, entries: readonly Entry[], now: number): readonly Node[] {
    const { own } = this.#options;
    const nodes: Node[] = [];
    for (const entry of entries) {
      for (let named = own.toNameBefore(); named; named = own.toNameBefore())
        nodes.push(this.#authorOne(signer, ACK, now, named));
      nodes.push(this.#authorOne(signer, entry, now));
    }
    return nodes;
  }

  #authorOne(signer: Signer, entry: Entry, now: number, named?: readonly Node[]): Node {
    const { door, graph, own, reader, serving } = this.#options;
    door.settle();
    const signed = own.sign(signer, entry, now, named);
    // Read back, so that what stands here is what others read; one that they would refuse would end the feed for them.
    const read = reader.read(signed.bytes);
    assert(read.ok && read.value.id === signed.id, 'an own delta is one that others take');
    const delta = read.value;
    const outcome = graph.insert(delta);
    assert(outcome.outcome === 'added', `an own delta is added, not ${outcome.outcome}`);
    door.enterOwn(outcome.node, outcome.isRecut);
    serving.checked(delta);
    return outcome.node;
  }
}
