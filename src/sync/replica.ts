/**
 * One member's copy of one workspace: the ways into it, and what may be asked of its parts. A delta enters by one door (`door.ts`), whether it is ours
 * (`writing.ts`), another's or read back from the journal (`intake.ts`); what follows from all that is inside is worked out when
 * somebody looks.
 *
 * Pure: what must be made durable comes back as bytes, and the caller makes it so before anybody else hears of it (D1).
 */
import { assert } from '../base/assert.ts';
import type { DeltaId, DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { badBase, type Base, type BaseError } from './base.ts';
import { checkSignature, isAck, type Delta, type DeltaPlace, type Signer } from './delta.ts';
import type { Feeds } from './feeds.ts';
import type { Fold, FoldVerdict } from './fold.ts';
import type { Advance } from './forgetting.ts';
import type { Node, Vector } from './graph.ts';
import type { Taken } from './intake.ts';
import type { OwnBase } from './own-base.ts';
import type { Entry, OwnFeed } from './own-feed.ts';
import type { OwnMark } from './own-mark.ts';
import { partsOf, type Parts, type ReplicaOptions } from './parts.ts';
import type { People } from './people.ts';
import type { Roster } from './roster.ts';
import type { Serving } from './serving.ts';

export type { Entry } from './own-feed.ts';
export type { ReplicaOptions } from './parts.ts';

/** What a batch did. */
export interface Ingest extends Taken {
  /** Up to where the feeds of both, or all where nothing was authentic, are held now: what is durable when `added` is. */
  readonly held: readonly { readonly feed: FeedId; readonly seq: number }[];
  readonly controlChanged: boolean;
  /** Ids that something waits for and nobody has sent (D5). */
  readonly missing: readonly DeltaId[];
}

export class Replica {
  readonly workspace: WorkspaceId;
  readonly #crypto: Crypto;
  readonly #parts: Parts;

  constructor(options: ReplicaOptions) {
    this.workspace = options.workspace;
    this.#crypto = options.crypto;
    this.#parts = partsOf(options);
  }

  // ---- what may be asked of its parts: what changes them comes in below -------------------------------------------------

  /** Who is in it, and what all those words add up to. */
  get roster(): Roster {
    return this.#parts.door.settle();
  }

  /** Who is who in it, and by which words. */
  get people(): People {
    return this.#parts.people;
  }

  /** What is here of whose feeds. */
  get feeds(): Feeds {
    return this.#parts.feeds;
  }

  /** The feed that this device writes. */
  get own(): Pick<OwnFeed, 'feed' | 'isAckDue' | 'hasComeBack' | 'comeBack' | 'canBegin'> {
    return this.#parts.own;
  }

  /** What others lack, as they are given it. */
  get serving(): Pick<Serving, 'lacking' | 'byIds' | 'folded'> {
    return this.#parts.serving;
  }

  /** What it says that it adds up to (L6). */
  get mark(): OwnMark {
    return this.#parts.mark;
  }

  /** The rows, as of now: to be asked for each time. */
  get fold(): Pick<Fold, 'row' | 'baseRow' | 'rows' | 'scan' | 'upon' | 'takeChanges' | 'baseIsTold'> {
    this.#parts.door.settle();
    return this.#parts.content.fold;
  }

  /** What is folded (L4, L6), as of now: to be asked for each time. */
  get base(): Pick<OwnBase, 'isThere' | 'parts' | 'present' | 'unconfirmed'> {
    this.#parts.door.settle();
    return this.#parts.base;
  }

  /** Whether what it has begun with is vouched for (L6). */
  get isConfirmed(): boolean {
    const { base, door } = this.#parts;
    base.seekVoucher(door.settle().vouchers);
    return base.unconfirmed === undefined;
  }

  /** L6: whether its base may be another than others', so that one from a manager has to put it right (`out-of-step.ts`). */
  get isOutOfStep(): boolean {
    this.#parts.door.settle();
    return this.#parts.outOfStep.isSo;
  }

  /** D10: the devices that have written something of a newer version; what it means is not known. */
  get newer(): ReadonlySet<DeviceId> {
    this.#parts.door.settle();
    return this.#parts.content.newer;
  }

  // ---- the deltas that are here -----------------------------------------------------------------------------------------

  get size(): number {
    return this.#parts.graph.size;
  }

  get arrivals(): number {
    return this.#parts.graph.arrivals;
  }

  node(id: DeltaId): Node | undefined {
    return this.#parts.graph.get(id);
  }

  nodeAt(feed: FeedId, seq: number): Node | undefined {
    return this.#parts.graph.at(feed, seq);
  }

  /** Every delta that is held whole, in the order of arrival. */
  nodes(): Iterable<Node> {
    return this.#parts.graph.whole();
  }

  /** Of these what is not in the base. */
  tail(): readonly Node[] {
    return this.#parts.graph.tail();
  }

  missing(): readonly DeltaId[] {
    return this.#parts.graph.missing();
  }

  /** Whether a delta has come, and waits for its past (D5). */
  isWaiting(id: DeltaId): boolean {
    const { graph } = this.#parts;
    return graph.has(id) && graph.get(id) === undefined;
  }

  /** 'accepted' or why it has no effect, for control and content alike. */
  verdictOf(id: DeltaId): 'accepted' | Exclude<FoldVerdict, 'applied'> | undefined {
    const { authority, content, graph } = this.#parts;
    const { tools } = this.roster;
    const control = authority.verdictOf(id);
    if (control) return control.accepted ? 'accepted' : control.reason;
    const node = graph.get(id);
    if (!node) return undefined;
    const verdict = content.fold.verdictOf(node);
    if (verdict === 'applied') return tools.has(node.delta.tool!) ? 'accepted' : 'unknownTool';
    if (verdict) return verdict;
    if (!isAck(node.delta) || node.delta.bytes.length === 0) return undefined;
    const judged = authority.judge(node);
    return judged.accepted ? 'accepted' : judged.reason;
  }

  // ---- what of them is on disk (D1) -------------------------------------------------------------------------------------

  /** What is held, of the own feed only what is durable: what others may be told. As it is now: it does not change with the copy. */
  vector(): Vector {
    return this.#parts.durability.vector();
  }

  /** Of what is held what is on disk, of others' feeds, too. */
  durable(): Vector {
    return this.#parts.durability.durable();
  }

  /** Whether others may hear of it. */
  isDurable({ delta }: Node): boolean {
    return this.#parts.own.isDurable(delta);
  }

  /** It is on disk, an own one with those before it. */
  madeDurable(node: Node): void {
    this.#parts.durability.madeDurable(node);
  }

  /** Of this device what is on disk and waits for its past (L6). */
  ownWaiting(): readonly Delta[] {
    return this.#parts.durability.ownWaiting();
  }

  // ---- what this device writes ------------------------------------------------------------------------------------------

  /** D2: what is written from now on stands in this feed of the same device. */
  beginFeed(own: FeedId): void {
    this.#parts.own.begin(own);
    this.#parts.durability.changed();
  }

  /**
   * Why the first of these that would have no effect would have none (D9), or undefined where all would be accepted, one upon
   * the other: asked before they are written, so that what its author may not do never leaves a trace.
   */
  wouldRefuse(device: DeviceId, entries: readonly Entry[], now: number): Exclude<FoldVerdict, 'applied'> | undefined {
    return this.#parts.writing.wouldRefuse(device, entries, now);
  }

  /** Signs entries as the next deltas of the own feed and takes them in. The caller makes `bytes` durable before it sends. */
  author(signer: Signer, entries: readonly Entry[], now: number): readonly Node[] {
    return this.#parts.writing.author(signer, entries, now);
  }

  // ---- what comes from elsewhere ----------------------------------------------------------------------------------------

  /** What was durable here once: authentic then (D7), though the signature that proved it may not have come back. */
  restore(bytes: Uint8Array, arrival?: number): void {
    const { durability, intake, reader } = this.#parts;
    const delta = reader.read(bytes);
    if (!delta.ok) return;
    const added = intake.takeBack(delta.value, arrival);
    if (added.length === 0) durability.waits(delta.value);
    for (const node of added) this.madeDurable(node);
  }

  /** What another copy holds besides, which comes after the base that this one has begun with; what of it is not on disk yet is not here either. */
  takeOver(other: Replica): void {
    for (const { delta } of other.nodes()) this.restore(delta.bytes);
    for (const { bytes } of other.ownWaiting()) this.restore(bytes);
    this.#parts.door.tookOver();
    this.#parts.own.takeOver(other.#parts.own);
    this.#parts.durability.takeOver(other.#parts.durability);
  }

  /** Runs of feeds as they came (S2): one signature check per contiguous run, at its end (D7). `from`: the device that has sent them. */
  ingest(runs: readonly (readonly Uint8Array[])[], from?: DeviceId): Ingest {
    const { door, durability, graph, intake } = this.#parts;
    const before = door.controls;
    const taken = intake.take(runs, from, door.lastRoster);
    const { heard } = taken;
    for (const node of taken.added) durability.cameIn(node);
    door.settle();
    // What is let go of at once need not be kept, nor told.
    const added = taken.added.filter(({ delta }) => graph.get(delta.id));
    const feeds = new Set([...heard.map(({ feed }) => feed), ...added.map(({ delta }) => delta.feed)]);
    const held = this.#heldOf(heard.length > 0 ? feeds : graph.vector().keys());
    return { ...taken, added, held, controlChanged: door.controls !== before, missing: graph.missing() };
  }

  #heldOf(feeds: Iterable<FeedId>): Ingest['held'] {
    return [...feeds].flatMap((feed) => {
      const tip = this.#parts.graph.tip(feed);
      return tip ? [{ feed, seq: tip.delta.seq }] : [];
    });
  }

  /** L6: a member has folded what something here waits for (`out-of-step.ts`). */
  hearFolded(places: readonly DeltaPlace[], from: DeviceId): void {
    this.#parts.outOfStep.hearFolded(places, from);
  }

  /**
   * Begins with a base, in a replica that holds nothing. `isOwn`: what was durable here, whose signatures were checked when it came.
   * A replica that has answered with an error is of no more use. `arrivals`: how many deltas had arrived when it was kept.
   */
  load(base: Base, isOwn: boolean, arrivals = 0): Result<void, BaseError> {
    const { content, door, durability, graph, own } = this.#parts;
    assert(graph.lanes.length === 0, 'a base is loaded into an empty replica');
    if (!isOwn && !base.controls.every(({ delta }) => checkSignature(this.#crypto, this.workspace, delta)))
      return badBase('badSignature');
    for (const lane of base.lanes) graph.loadLane(lane);
    for (const place of base.places) graph.loadPlace(place);
    const nodes = base.controls.map(({ delta, lane, height, past }) => graph.loadControl(delta, lane, height, past));
    graph.loaded(arrivals);
    for (const node of nodes) door.enterFolded(node);
    door.settle();
    if (!isOwn && !content.couldHold(base.rows)) return badBase('badRow');
    content.load(base.rows, base.end);
    own.allDurable();
    durability.changed();
    door.settle();
    return this.#parts.base.begunWith(base, isOwn) ? ok(undefined) : badBase('badRoot');
  }

  // ---- forgetting (L4) --------------------------------------------------------------------------------------------------

  /**
   * Folds into the base what all active devices have acknowledged, as far as it goes, and forgets it. Answers what was folded,
   * and how many deltas are forgotten.
   */
  advance(active: Iterable<DeviceId> = this.people.active): Advance {
    const { door, forgetting } = this.#parts;
    door.settle();
    const stable = forgetting.stable(active);
    door.withdraw(forgetting.dropStrays(stable));
    return forgetting.advance(stable);
  }

  /** Whether all active devices have acknowledged every control delta that is here, as far as `advance` has found. */
  get isSettled(): boolean {
    return this.#parts.forgetting.isSettled;
  }
}

/** A new workspace's id is its genesis delta's. */
export function genesisId(delta: Delta): WorkspaceId {
  return delta.id as string as WorkspaceId;
}
