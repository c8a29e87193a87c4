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
import { Authority, type VoidReason } from './authority.ts';
import { controlBody } from './control.ts';
import { checkSignature, DELTA_VERSION, feedOf, readDelta, signDelta, type Delta, type Signer } from './delta.ts';
import { Fold, type FoldVerdict, type RowChange } from './fold.ts';
import { Graph, type Node, type Vector } from './graph.ts';
import type { Action } from './permissions.ts';
import type { Reducer, Row, Transaction } from './reducer.ts';
import { rosterOf, type Roster } from './roster.ts';

export interface ReplicaOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reducers: readonly Reducer[];
  /** The feed this device writes. */
  readonly own: FeedId;
}

/** What a batch did. */
export interface Ingest {
  /** Newly held, in the order they came in; to be made durable, then told. */
  readonly added: readonly Node[];
  /** Where each authentic run ended, known or new: what its sender holds. */
  readonly heard: readonly { readonly feed: FeedId; readonly seq: number }[];
  readonly controlChanged: boolean;
  /** Ids that something waits for and nobody has sent (D5). */
  readonly missing: readonly DeltaId[];
  readonly faults: readonly IngestFault[];
}

export interface IngestFault {
  readonly tag: 'badDelta' | 'badSignature' | 'brokenChain' | 'fork' | 'overflow';
  readonly device: DeviceId | undefined;
}

/** What the verdict on a content delta rested on, but for the rows. */
interface Premises {
  readonly refused: VoidReason | undefined;
  readonly toolKind: string | undefined;
  readonly author: AccountId | undefined;
  /** What its tool asked, and was told. */
  readonly answers: Map<Action, boolean>;
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
  /** Come in, and not yet judged and applied. */
  readonly #entered: Node[] = [];
  readonly #premises = new Map<DeltaId, Premises>();
  /** Ends of runs whose signature was checked and that wait for their past. */
  readonly #proven = new Set<DeltaId>();
  /** Highest seq of each feed whose signature was checked here: what is served ends there (D7). */
  readonly #checked = new Map<FeedId, number>();
  #controls = 0;
  /** D8: what has shown two histories is not heard any more. */
  #own: FeedId;
  /** Highest seq on disk of each feed that was written here since the opening: what is beyond it nobody may hear of yet (D1). */
  readonly #durable = new Map<FeedId, number>();
  readonly #forked = new Set<DeviceId>();
  #roster: Roster;
  #newer = false;

  constructor(options: ReplicaOptions) {
    this.#crypto = options.crypto;
    this.workspace = options.workspace;
    this.#own = options.own;
    this.#durable.set(options.own, 0);
    this.#reducers = new Map(options.reducers.map((reducer) => [reducer.kind, reducer]));
    this.#authority = new Authority(options.crypto, this.#graph);
    this.#fold = new Fold((node, transaction) => this.#applyContent(node, transaction));
    this.#roster = rosterOf(this.#authority);
  }

  get roster(): Roster {
    this.#settle();
    return this.#roster;
  }

  /** D10: something of a newer version is here; what it means is not known. */
  get sawNewer(): boolean {
    return this.#newer;
  }

  get size(): number {
    return this.#graph.size;
  }

  /** What is held, of the own feed only what is durable (D1): what others may be told. */
  vector(): Vector {
    const vector = new Map(this.#graph.vector());
    for (const [feed, seq] of this.#durable) {
      if (seq === 0) vector.delete(feed);
      else vector.set(feed, seq);
    }
    return vector;
  }

  /** D2: what is written from now on stands in this feed of the same device. */
  beginFeed(own: FeedId): void {
    this.#own = own;
    this.#durable.set(own, 0);
  }

  /** Own deltas up to this one are on disk. */
  madeDurable(node: Node): void {
    const before = this.#durable.get(node.delta.feed);
    if (before !== undefined) this.#durable.set(node.delta.feed, Math.max(before, node.delta.seq));
  }

  /** Every delta, in the order of arrival. */
  nodes(): Iterable<Node> {
    return this.#graph.beyond(new Map());
  }

  get arrivals(): number {
    return this.#graph.arrivals;
  }

  node(id: DeltaId): Node | undefined {
    return this.#graph.get(id);
  }

  nodeAt(feed: FeedId, seq: number): Node | undefined {
    return this.#graph.at(feed, seq);
  }

  accountOf(device: DeviceId): AccountId | undefined {
    this.#settle();
    return this.#authority.accountOf(device);
  }

  row(tool: ToolId, table: string, key: string): Row | undefined {
    this.#settle();
    return this.#fold.row(tool, table, key);
  }

  rows(): Iterable<RowChange> {
    this.#settle();
    return this.#fold.rows();
  }

  takeChanges(): readonly RowChange[] {
    this.#settle();
    return this.#fold.takeChanges();
  }

  /** L4: something that is no ack is here and not in the own feed's past. */
  get isAckDue(): boolean {
    return this.#graph.headsOutside(this.#own).some((head) => this.#isNews(head));
  }

  #isNews(head: Node): boolean {
    return head.delta.kind !== 'ack' || head.delta.tool !== undefined;
  }

  missing(): readonly DeltaId[] {
    return this.#graph.missing();
  }

  /** 'accepted' or why it has no effect, for control and content alike. */
  verdictOf(id: DeltaId): 'accepted' | Exclude<FoldVerdict, 'applied'> | undefined {
    this.#settle();
    const control = this.#authority.verdictOf(id);
    if (control) return control.accepted ? 'accepted' : control.reason;
    const content = this.#fold.verdictOf(id);
    return content === 'applied' ? 'accepted' : content;
  }

  // ---- the own feed -------------------------------------------------------------------------------------------------

  /**
   * Why the first of these that would have no effect would have none (D9), or undefined where all would be accepted, one upon
   * the other: asked before they are written, so that what its author may not do never leaves a trace.
   */
  wouldRefuse(device: DeviceId, entries: readonly Entry[], now: number): Exclude<FoldVerdict, 'applied'> | undefined {
    this.#settle();
    const stages = new Map<ToolId, Transaction>();
    for (const [i, entry] of entries.entries()) {
      const draft = this.#draft(device, entry, i, now);
      const { tool } = entry;
      if (tool === undefined) {
        const verdict = this.#authority.judgeDraft(draft);
        if (!verdict.accepted) return verdict.reason;
        continue;
      }
      const stage = stages.get(tool) ?? this.#fold.rehearsal(tool);
      stages.set(tool, stage);
      const verdict = this.#reduce(draft, this.#premisesOf(draft), stage);
      if (verdict !== 'applied') return verdict;
    }
    return undefined;
  }

  /** What the next delta but `ahead` of the own feed would look like to those who judge it: everything here is in its past. */
  #draft(device: DeviceId, entry: Entry, ahead: number, now: number): Node {
    const generation = Number(this.#own.split('.')[1]);
    const heads = [...this.#graph.feeds().values()].map((nodes) => nodes.at(-1)!);
    const account = this.#authority.accountOf(device);
    const others = new Map(this.#graph.vector());
    others.delete(this.#own);
    const seq = (this.#graph.tip(this.#own)?.delta.seq ?? 0) + 1 + ahead;
    const delta: Delta = {
      id: `draft ${ahead}` as DeltaId,
      version: DELTA_VERSION,
      device,
      feed: this.#own,
      generation,
      seq,
      prev: undefined,
      deps: [],
      credential: account === undefined ? undefined : this.#authority.bestCredential(account)?.id,
      time: now,
      tool: entry.tool,
      kind: entry.kind,
      body: entry.body,
      bytes: new Uint8Array(0),
    };
    const height = 1 + ahead + heads.reduce((highest, { height }) => Math.max(highest, height), 0);
    return { delta, height, others, arrival: 0 };
  }

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
    this.#settle();
    const feed = feedOf(signer.device, generation);
    const prev = this.#graph.tip(feed);
    const account = this.#authority.accountOf(signer.device);
    const isGenesis = entry.tool === undefined && entry.kind === 'genesis';
    const signed = signDelta(this.#crypto, signer, isGenesis ? undefined : this.workspace, {
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
    // Read back, so that what stands here is what others read; one that they would refuse would end the feed for them.
    const read = readDelta(this.#crypto, this.workspace, signed.bytes);
    assert(read.ok && read.value.id === signed.id, 'an own delta is one that others take');
    const delta = read.value;
    const outcome = this.#graph.insert(delta);
    assert(outcome.outcome === 'added', `an own delta is added, not ${outcome.outcome}`);
    this.#enter(outcome.node);
    this.#checked.set(feed, delta.seq);
    return outcome.node;
  }

  // ---- others' deltas -----------------------------------------------------------------------------------------------

  /** What was durable here once: authentic then (D7), though the signature that proved it may not have come back. */
  restore(bytes: Uint8Array): void {
    const delta = readDelta(this.#crypto, this.workspace, bytes);
    if (!delta.ok) return;
    for (const node of this.#insert([delta.value], [])) this.madeDurable(node);
  }

  /** Runs of feeds as they came (S2): one signature check per contiguous run, at its end (D7). */
  ingest(runs: readonly (readonly Uint8Array[])[]): Ingest {
    const added: Node[] = [];
    const faults: IngestFault[] = [];
    const heard: { readonly feed: FeedId; readonly seq: number }[] = [];
    const before = this.#controls;
    for (const run of runs) {
      const deltas = this.#authentic(run);
      if (!deltas.ok) {
        faults.push(deltas.error);
        continue;
      }
      for (const node of this.#insert(deltas.value, faults)) added.push(node);
      const last = deltas.value.at(-1);
      if (last) heard.push({ feed: last.feed, seq: last.seq });
    }
    this.#settle();
    return { added, heard, controlChanged: this.#controls !== before, missing: this.#graph.missing(), faults };
  }

  /** The run's deltas where its chain holds and its last signature stands. A known last one was checked already (S3). */
  #authentic(run: readonly Uint8Array[]): Result<readonly Delta[], IngestFault> {
    const deltas: Delta[] = [];
    for (const bytes of run) {
      const delta = readDelta(this.#crypto, this.workspace, bytes);
      if (!delta.ok) return err({ tag: 'badDelta', device: undefined });
      // Another workspace's genesis is authentic in any: taken for a part of this one it would look like a fork (D8).
      if (isGenesis(delta.value) && (delta.value.id as string) !== this.workspace) {
        return err({ tag: 'badDelta', device: delta.value.device });
      }
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
    if (!checkSignature(this.#crypto, this.workspace, last)) return err({ tag: 'badSignature', device: last.device });
    this.#proven.add(last.id);
    return ok(deltas);
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
          if (this.#proven.delete(delta.id)) this.#checked.set(delta.feed, delta.seq);
          for (const free of this.#graph.released(delta.id)) queue.push(free);
          break;
        case 'fork':
          this.#proven.delete(delta.id);
          this.#forked.add(outcome.device);
          faults.push({ tag: 'fork', device: outcome.device });
          break;
        case 'broken':
          this.#proven.delete(delta.id);
          faults.push({ tag: 'brokenChain', device: delta.device });
          break;
        case 'overflow':
          this.#proven.delete(delta.id);
          faults.push({ tag: 'overflow', device: delta.device });
          break;
        case 'known':
        case 'waiting':
          break;
      }
    }
    return added;
  }

  // ---- the one door -------------------------------------------------------------------------------------------------

  #enter(node: Node): void {
    if (node.delta.version !== DELTA_VERSION) {
      this.#newer = true;
      return;
    }
    if (node.delta.tool === undefined) this.#controls++;
    this.#entered.push(node);
  }

  /** Judges and applies what has come in, all of it at once: whoever looks calls this first. */
  #settle(): void {
    if (this.#entered.length === 0) return;
    const entered = this.#entered.splice(0);
    const controls = entered.filter((node) => node.delta.tool === undefined);
    if (controls.length > 0) {
      const reaches = this.#authority.addAll(controls);
      this.#roster = rosterOf(this.#authority);
      if (reaches || controls.some(({ delta }) => delta.kind === 'addTool' || delta.kind === 'deleteTool'))
        this.#reconsider();
    }
    this.#fold.insertAll(entered.filter((node) => node.delta.tool !== undefined));
  }

  /** A restriction that arrives late undoes what it voids (L5): from the first delta whose premises are others now. */
  #reconsider(): void {
    this.#fold.reconsider((node) => {
      const before = this.#premises.get(node.delta.id)!;
      const now = this.#premisesOf(node);
      if (before.refused !== now.refused || before.toolKind !== now.toolKind || before.author !== now.author)
        return true;
      return [...before.answers].some(
        ([action, answer]) => this.#authority.can(node, now.toolKind!, action) !== answer,
      );
    });
  }

  #premisesOf(node: Node): Premises {
    const judged = this.#authority.judge(node);
    const refused = judged.accepted ? undefined : judged.reason;
    const toolKind = this.#roster.tools.get(node.delta.tool!)?.kind;
    return { refused, toolKind, author: this.#authority.accountOf(node.delta.device), answers: new Map() };
  }

  #applyContent(node: Node, transaction: Transaction): FoldVerdict {
    const premises = this.#premisesOf(node);
    this.#premises.set(node.delta.id, premises);
    return this.#reduce(node, premises, transaction);
  }

  #reduce(node: Node, premises: Premises, transaction: Transaction): FoldVerdict {
    const { refused, toolKind, author, answers } = premises;
    if (refused) return refused;
    const reducer = toolKind === undefined ? undefined : this.#reducers.get(toolKind);
    if (toolKind === undefined || !reducer || author === undefined) return 'unknownTool';
    const can = (action: Action) => {
      const answer = this.#authority.can(node, toolKind, action);
      answers.set(action, answer);
      return answer;
    };
    return reducer.apply(transaction, node, { author, can }) ?? 'applied';
  }

  /**
   * Runs that a peer with this vector lacks, until about `maxBytes` are together (S1): a causally closed share, one run per
   * feed, each ending at a signature that stands (D7). `upTo` tells up to which seq of a feed.
   */
  lacking(theirs: Vector, maxBytes: number, upTo: (feed: FeedId) => number = everything): readonly (readonly Node[])[] {
    const picked = new Map<FeedId, Node[]>();
    let bytes = 0;
    for (const node of this.#graph.beyond(theirs, upTo)) {
      if (node.delta.seq > (this.#durable.get(node.delta.feed) ?? node.delta.seq)) continue;
      const run = picked.get(node.delta.feed) ?? [];
      run.push(node);
      picked.set(node.delta.feed, run);
      bytes += node.delta.bytes.length;
      if (bytes >= maxBytes) break;
    }
    return [...picked.values()].map((run) => this.#toCheckedEnd(run, upTo)).filter((run) => run.length > 0);
  }

  #toCheckedEnd(run: Node[], upTo: (feed: FeedId) => number): readonly Node[] {
    const picked = run.length;
    for (let last = run.at(-1)!; !this.#stands(last); last = run.at(-1)!) {
      const next = this.#graph.at(last.delta.feed, last.delta.seq + 1);
      if (!next || next.delta.seq > upTo(next.delta.feed)) {
        // The signature that proved the rest is still waiting for its past, or was lost with it.
        return run.slice(0, run.findLastIndex((node, i) => i < picked && this.#stands(node)) + 1);
      }
      run.push(next);
    }
    return run;
  }

  #stands({ delta }: Node): boolean {
    if (this.#checked.get(delta.feed) === delta.seq) return true;
    if (!checkSignature(this.#crypto, this.workspace, delta)) return false;
    if ((this.#checked.get(delta.feed) ?? 0) < delta.seq) this.#checked.set(delta.feed, delta.seq);
    return true;
  }
}

function everything(): number {
  return Number.POSITIVE_INFINITY;
}

function isGenesis(delta: Delta): boolean {
  return delta.kind === 'genesis' && delta.tool === undefined;
}

/** A new workspace's id is its genesis delta's. */
export function genesisId(delta: Delta): WorkspaceId {
  return delta.id as string as WorkspaceId;
}
