/**
 * One member's copy of one workspace: the graph, the verdicts on it and the rows it folds to. There is one door by which a
 * delta enters (`#enter`), whether it is ours, another's or read back from the journal.
 *
 * Pure: what must be made durable comes back as bytes, and the caller makes it so before anybody else hears of it (D1).
 */
import { assert } from '../base/assert.ts';
import type { AccountId, DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Value } from '../protocol/codec.ts';
import { MAX_DEPS } from '../protocol/limits.ts';
import { Authority } from './authority.ts';
import { controlBody } from './control.ts';
import { checkSignature, DELTA_VERSION, feedOf, readDelta, signDelta, type Delta, type Signer } from './delta.ts';
import { Fold, type FoldVerdict, type RowChange } from './fold.ts';
import { Graph, type Node, type Vector } from './graph.ts';
import type { Reducer, Row, Transaction } from './reducer.ts';
import { rosterOf, type Roster } from './roster.ts';

export interface ReplicaOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reducers: readonly Reducer[];
}

/** What a batch did. */
export interface Ingest {
  /** Newly held, in the order they came in; to be made durable, then told. */
  readonly added: readonly Node[];
  readonly controlChanged: boolean;
  /** Ids that something waits for and nobody has sent (D5). */
  readonly missing: readonly DeltaId[];
  readonly faults: readonly IngestFault[];
}

export interface IngestFault {
  readonly tag: 'badDelta' | 'badSignature' | 'brokenChain' | 'fork' | 'overflow';
  readonly device: DeviceId | undefined;
}

export interface Entry {
  readonly tool: ToolId | undefined;
  readonly kind: string;
  readonly body: Value;
}

export class Replica {
  readonly workspace: WorkspaceId;
  readonly #crypto: Crypto;
  readonly #graph = new Graph();
  readonly #authority: Authority;
  readonly #fold: Fold;
  readonly #reducers: ReadonlyMap<string, Reducer>;
  /** Highest seq of each feed whose signature was checked here: what is served ends there (D7). */
  readonly #checked = new Map<FeedId, number>();
  #controls = 0;
  /** D8: what has shown two histories is not heard any more. */
  readonly #forked = new Set<DeviceId>();
  #roster: Roster;
  #newer = false;

  constructor(options: ReplicaOptions) {
    this.#crypto = options.crypto;
    this.workspace = options.workspace;
    this.#reducers = new Map(options.reducers.map((reducer) => [reducer.kind, reducer]));
    this.#authority = new Authority(options.crypto, this.#graph);
    this.#fold = new Fold((node, transaction) => this.#applyContent(node, transaction));
    this.#roster = rosterOf(this.#authority);
  }

  get roster(): Roster {
    return this.#roster;
  }

  /** D10: something of a newer version is here; what it means is not known. */
  get sawNewer(): boolean {
    return this.#newer;
  }

  get size(): number {
    return this.#graph.size;
  }

  vector(): Vector {
    return this.#graph.vector();
  }

  /** The last id of a feed, to tell a peer what is held (S1). */
  tip(feed: FeedId): DeltaId | undefined {
    return this.#graph.tip(feed)?.delta.id;
  }

  node(id: DeltaId): Node | undefined {
    return this.#graph.get(id);
  }

  nodeAt(feed: FeedId, seq: number): Node | undefined {
    return this.#graph.at(feed, seq);
  }

  accountOf(device: DeviceId): AccountId | undefined {
    return this.#authority.accountOf(device);
  }

  row(tool: ToolId, table: string, key: string): Row | undefined {
    return this.#fold.row(tool, table, key);
  }

  rows(): Iterable<RowChange> {
    return this.#fold.rows();
  }

  takeChanges(): readonly RowChange[] {
    return this.#fold.takeChanges();
  }

  missing(): readonly DeltaId[] {
    return this.#graph.missing();
  }

  /** 'accepted' or why it has no effect, for control and content alike. */
  verdictOf(id: DeltaId): 'accepted' | Exclude<FoldVerdict, 'applied'> | undefined {
    const control = this.#authority.verdictOf(id);
    if (control) return control.accepted ? 'accepted' : control.reason;
    const content = this.#fold.verdictOf(id);
    return content === 'applied' ? 'accepted' : content;
  }

  // ---- the own feed -------------------------------------------------------------------------------------------------

  /** Signs entries as the next deltas of the own feed and takes them in. The caller makes `bytes` durable before it sends. */
  author(signer: Signer, generation: number, entries: readonly Entry[], now: number): readonly Node[] {
    const nodes: Node[] = [];
    for (const entry of entries) {
      for (const merged of this.#mergeHeads(signer, generation, now)) nodes.push(merged);
      nodes.push(this.#authorOne(signer, generation, entry, now));
    }
    return nodes;
  }

  /** D5: more than 32 heads are merged by acks first. */
  #mergeHeads(signer: Signer, generation: number, now: number): Node[] {
    const merged: Node[] = [];
    while (this.#graph.headsOutside(feedOf(signer.device, generation)).length > MAX_DEPS) {
      merged.push(this.#authorOne(signer, generation, { tool: undefined, kind: 'ack', body: controlBody.ack() }, now));
    }
    return merged;
  }

  #authorOne(signer: Signer, generation: number, entry: Entry, now: number): Node {
    const feed = feedOf(signer.device, generation);
    const prev = this.#graph.tip(feed);
    const account = this.#authority.accountOf(signer.device);
    const isGenesis = entry.tool === undefined && entry.kind === 'genesis';
    const delta = signDelta(this.#crypto, signer, isGenesis ? undefined : this.workspace, {
      generation,
      seq: (prev?.delta.seq ?? 0) + 1,
      prev: prev?.delta.id,
      deps: this.#graph
        .headsOutside(feed)
        .slice(0, MAX_DEPS)
        .map((head) => head.delta.id),
      credential: account === undefined ? undefined : this.#authority.bestCredential(account)?.id,
      time: now,
      ...entry,
    });
    const outcome = this.#graph.insert(delta);
    assert(outcome.outcome === 'added', `an own delta is added, not ${outcome.outcome}`);
    this.#enter(outcome.node);
    this.#checked.set(feed, delta.seq);
    return outcome.node;
  }

  // ---- others' deltas -----------------------------------------------------------------------------------------------

  /** What was durable here once: its signatures were checked then. */
  restore(bytes: Uint8Array): void {
    const delta = readDelta(this.#crypto, this.workspace, bytes);
    if (!delta.ok) return;
    for (const node of this.#insert([delta.value], [])) this.#checked.set(node.delta.feed, node.delta.seq);
  }

  /** Runs of feeds as they came (S2): one signature check per contiguous run, at its end (D7). */
  ingest(runs: readonly (readonly Uint8Array[])[]): Ingest {
    const added: Node[] = [];
    const faults: IngestFault[] = [];
    const before = this.#controls;
    for (const run of runs) {
      const deltas = this.#authentic(run);
      if (!deltas.ok) faults.push(deltas.error);
      else added.push(...this.#insert(deltas.value, faults));
    }
    for (const node of added) this.#raiseChecked(node);
    return { added, controlChanged: this.#controls !== before, missing: this.#graph.missing(), faults };
  }

  /** The run's deltas where its chain holds and its last signature stands. A known last one was checked already (S3). */
  #authentic(run: readonly Uint8Array[]): Result<readonly Delta[], IngestFault> {
    const deltas: Delta[] = [];
    for (const bytes of run) {
      const delta = readDelta(this.#crypto, this.workspace, bytes);
      if (!delta.ok) return err({ tag: 'badDelta', device: undefined });
      const last = deltas.at(-1);
      if (
        last &&
        (last.feed !== delta.value.feed || delta.value.prev !== last.id || delta.value.seq !== last.seq + 1)
      ) {
        return err({ tag: 'brokenChain', device: delta.value.device });
      }
      deltas.push(delta.value);
    }
    const last = deltas.at(-1);
    if (!last) return ok([]);
    if (this.#forked.has(last.device)) return err({ tag: 'fork', device: last.device });
    if (this.#graph.has(last.id)) return ok(deltas);
    return checkSignature(this.#crypto, this.workspace, last)
      ? ok(deltas)
      : err({ tag: 'badSignature', device: last.device });
  }

  #insert(deltas: readonly Delta[], faults: IngestFault[]): Node[] {
    const added: Node[] = [];
    const queue = [...deltas];
    for (let i = 0; i < queue.length; i++) {
      const delta = queue[i]!;
      const outcome = this.#graph.insert(delta);
      switch (outcome.outcome) {
        case 'added':
          added.push(outcome.node);
          this.#enter(outcome.node);
          for (const free of this.#graph.released(delta.id)) queue.push(free);
          break;
        case 'fork':
          this.#forked.add(outcome.device);
          faults.push({ tag: 'fork', device: outcome.device });
          break;
        case 'broken':
          faults.push({ tag: 'brokenChain', device: delta.device });
          break;
        case 'overflow':
          faults.push({ tag: 'overflow', device: delta.device });
          break;
        case 'known':
        case 'waiting':
          break;
      }
    }
    return added;
  }

  #raiseChecked(node: Node): void {
    // A run is inserted up to its checked end; what waited was the end of, or inside, a run checked when it came.
    const { feed, seq } = node.delta;
    if ((this.#checked.get(feed) ?? 0) < seq) this.#checked.set(feed, seq);
  }

  // ---- the one door -------------------------------------------------------------------------------------------------

  #enter(node: Node): void {
    if (node.delta.version !== DELTA_VERSION) {
      this.#newer = true;
      return;
    }
    if (node.delta.tool === undefined) this.#enterControl(node);
    else this.#fold.insert(node);
  }

  #enterControl(node: Node): void {
    if (node.delta.kind === 'genesis' && !this.#isOwnGenesis(node)) return; // of another workspace: void (D9)
    this.#controls++;
    const reaches = this.#authority.add(node);
    this.#roster = rosterOf(this.#authority);
    if (reaches || node.delta.kind === 'deleteTool') this.#reconsider();
  }

  #isOwnGenesis(node: Node): boolean {
    return (node.delta.id as string) === this.workspace;
  }

  /** A restriction that arrives late undoes what it voids (L5). */
  #reconsider(): void {
    this.#fold.reconsider((node, verdict) => {
      const judged = this.#authority.judge(node);
      return judged.accepted !== (verdict === 'applied') || (!judged.accepted && judged.reason !== verdict);
    });
  }

  #applyContent(node: Node, transaction: Transaction): FoldVerdict {
    const judged = this.#authority.judge(node);
    if (!judged.accepted) return judged.reason;
    const tool = this.#roster.tools.get(node.delta.tool!);
    const reducer = tool && this.#reducers.get(tool.kind);
    const author = this.#authority.accountOf(node.delta.device);
    if (!tool || !reducer || author === undefined) return 'unknownTool';
    const can = (action: Parameters<Authority['can']>[2]) => this.#authority.can(node, tool.kind, action);
    return reducer.apply(transaction, node, { author, can }) ?? 'applied';
  }

  /**
   * Runs that a peer with this vector lacks, until about `maxBytes` are together (S1): a causally closed share, one run per
   * feed, each ending at a signature that stands (D7).
   */
  lacking(theirs: Vector, maxBytes: number): readonly (readonly Uint8Array[])[] {
    const picked = new Map<FeedId, Node[]>();
    let bytes = 0;
    for (const node of this.#graph.beyond(theirs)) {
      const run = picked.get(node.delta.feed) ?? [];
      run.push(node);
      picked.set(node.delta.feed, run);
      bytes += node.delta.bytes.length;
      if (bytes >= maxBytes) break;
    }
    return [...picked.values()].map((run) => this.#toCheckedEnd(run).map((node) => node.delta.bytes));
  }

  #toCheckedEnd(run: Node[]): readonly Node[] {
    for (let last = run.at(-1)!; !this.#stands(last); last = run.at(-1)!) {
      const next = this.#graph.at(last.delta.feed, last.delta.seq + 1);
      assert(next, 'a held feed ends at a checked signature');
      run.push(next);
    }
    return run;
  }

  #stands(node: Node): boolean {
    return (
      this.#checked.get(node.delta.feed) === node.delta.seq || checkSignature(this.#crypto, this.workspace, node.delta)
    );
  }
}

/** A new workspace's id is its genesis delta's. */
export function genesisId(delta: Delta): WorkspaceId {
  return delta.id as string as WorkspaceId;
}
