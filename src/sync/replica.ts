/**
 * One member's copy of one workspace: the ways into it, and what may be asked of its parts. A delta enters by one door (`door.ts`), whether it is ours
 * (`writing.ts`), another's or read back from the journal (`intake.ts`); what follows from all that is inside is worked out when
 * somebody looks.
 *
 * Pure: what must be made durable comes back as bytes, and the caller makes it so before anybody else hears of it (D1).
 */
import { assert } from '../base/assert.ts';
import type { AccountId, DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { badBase, type Base, type BaseError, type BaseParts } from './base.ts';
import type { CutAndRoot, Role } from './control.ts';
import { checkSignature, type Delta, type DeltaPlace, type Signer } from './delta.ts';
import type { Fold, FoldVerdict, RowChange, Upon } from './fold.ts';
import type { Advance } from './forgetting.ts';
import { isAck, type Node, type Vector } from './graph.ts';
import type { Taken } from './intake.ts';
import type { Entry } from './own-feed.ts';
import type { RowRecord } from './packed-rows.ts';
import { partsOf, type Parts, type ReplicaOptions } from './parts.ts';
import type { People } from './people.ts';
import type { Action, Scope } from './permissions.ts';
import type { Row } from './reducer.ts';
import type { Roster } from './roster.ts';
import type { Allowance } from './settings.ts';

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

  get sawNewer(): boolean {
    return this.newer.size > 0;
  }

  get forked(): ReadonlySet<DeviceId> {
    return this.people.forked;
  }

  standing(): Vector {
    return this.#parts.feeds.standing();
  }

  comeBack(): readonly Delta[] {
    return this.#parts.own.comeBack();
  }

  accountOf(device: DeviceId): AccountId | undefined {
    return this.people.accountOf(device);
  }

  allowance(scope: Scope, action: Action, role: Role, tool?: ToolId): Allowance {
    return this.people.allowance(scope, action, role, tool);
  }

  row(tool: ToolId, table: string, key: string): Row | undefined {
    return this.#fold.row(tool, table, key);
  }

  baseRow(tool: ToolId, table: string, key: string): Row | undefined {
    return this.#fold.baseRow(tool, table, key);
  }

  rows(): Iterable<RowChange> {
    return this.#fold.rows();
  }

  scan(table: string): Iterable<RowRecord> {
    return this.#fold.scan(table);
  }

  get upon(): Upon {
    return this.#fold.upon;
  }

  baseIsTold(): void {
    this.#parts.content.fold.baseIsTold();
  }

  takeChanges(): readonly RowChange[] {
    return this.#fold.takeChanges();
  }

  get #fold(): Fold {
    this.#parts.door.settle();
    return this.#parts.content.fold;
  }

  get isAckDue(): boolean {
    return this.#parts.own.isAckDue;
  }

  get hasComeBack(): boolean {
    return this.#parts.own.hasComeBack;
  }

  get canBegin(): boolean {
    return this.#parts.own.canBegin;
  }

  reach(node: Node, feed: FeedId): number {
    return this.#parts.feeds.reach(node, feed);
  }

  wordAgainst(device: DeviceId, account: AccountId): Node | undefined {
    return this.people.wordAgainst(device, account);
  }

  get endOfOwn(): Node | undefined {
    return this.people.endOfOwn;
  }

  wordOnStranger(device: DeviceId): Node | undefined {
    return this.people.wordOnStranger(device);
  }

  returned(): ReadonlyMap<DeviceId, Node> {
    return this.people.returned();
  }

  entranceOf(device: DeviceId): Node | undefined {
    return this.people.entranceOf(device);
  }

  cutsOfWhoLetIn(device: DeviceId): readonly Node[] {
    return this.people.cutsOfWhoLetIn(device);
  }

  cutOfWhoLetIn(device: DeviceId): Node | undefined {
    return this.people.cutOfWhoLetIn(device);
  }

  letInVain(): readonly DeviceId[] {
    return this.people.letInVain();
  }

  isLeftBehind(place: DeltaPlace): boolean {
    return this.#parts.feeds.isLeftBehind(place);
  }

  isLetIn(device: DeviceId): boolean {
    return this.people.isLetIn(device);
  }

  get active(): ReadonlySet<DeviceId> {
    return this.people.active;
  }

  heldBackFrom(device: DeviceId): number | undefined {
    return this.people.heldBackFrom(device);
  }

  wasDropped(device: DeviceId): boolean {
    return this.people.wasDropped(device);
  }

  wasTakenOut(device: DeviceId): boolean {
    return this.people.wasTakenOut(device);
  }

  takenOutBeside(leave: Node, device: DeviceId): Node | undefined {
    return this.people.takenOutBeside(leave, device);
  }

  isSenior(account: AccountId, to: AccountId): boolean {
    return this.people.isSenior(account, to);
  }

  get isAhead(): boolean {
    return this.#parts.mark.isAhead;
  }

  stateMark(): string | undefined {
    return this.#parts.mark.workOut();
  }

  prepareStateMark(leaves: number): boolean {
    return this.#parts.mark.prepare(leaves);
  }

  get knownStateMark(): string {
    return this.#parts.mark.known;
  }

  base(): BaseParts {
    this.#parts.door.settle();
    return this.#parts.base.parts();
  }

  baseRoot(): CutAndRoot {
    this.#parts.door.settle();
    return this.#parts.base.present();
  }

  cut(): Vector {
    return this.#parts.feeds.cut();
  }

  generationsOf(device: DeviceId): readonly number[] {
    return this.#parts.feeds.generationsOf(device);
  }

  hasWritten(device: DeviceId): boolean {
    return this.#parts.feeds.hasWritten(device);
  }

  shownBy(device: DeviceId): Vector {
    return this.#parts.feeds.shownBy(device);
  }

  get unconfirmed(): Uint8Array | undefined {
    return this.#parts.base.unconfirmed;
  }

  set unconfirmed(root: Uint8Array | undefined) {
    this.#parts.base.unconfirmed = root;
  }

  get hasBase(): boolean {
    return this.#parts.base.isThere;
  }

  reaches(theirs: Vector): boolean {
    return this.#parts.feeds.reaches(theirs);
  }

  lacking(theirs: Vector, maxBytes: number, upTo?: (feed: FeedId) => number): readonly (readonly Node[])[] {
    return this.#parts.serving.lacking(theirs, maxBytes, upTo);
  }

  serveIds(ids: Iterable<DeltaId>): readonly (readonly Node[])[] {
    return this.#parts.serving.byIds(ids);
  }

  foldedAmong(ids: Iterable<DeltaId>): readonly Node[] {
    return this.#parts.serving.folded(ids);
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
    this.#parts.own.takeOver(other.#parts.own);
    this.#parts.durability.takeOver(other.#parts.durability);
  }

  /** Runs of feeds as they came (S2): one signature check per contiguous run, at its end (D7). `from`: the device that has sent them. */
  ingest(runs: readonly (readonly Uint8Array[])[], from?: DeviceId): Ingest {
    const { door, durability, graph, intake } = this.#parts;
    const before = door.controls;
    const taken = intake.take(runs, from, door.lastRoster);
    const { added, heard } = taken;
    for (const node of added) durability.cameIn(node);
    door.settle();
    const feeds = new Set([...heard.map(({ feed }) => feed), ...added.map(({ delta }) => delta.feed)]);
    const held = this.#heldOf(heard.length > 0 ? feeds : graph.vector().keys());
    return { ...taken, held, controlChanged: door.controls !== before, missing: graph.missing() };
  }

  #heldOf(feeds: Iterable<FeedId>): Ingest['held'] {
    return [...feeds].flatMap((feed) => {
      const tip = this.#parts.graph.tip(feed);
      return tip ? [{ feed, seq: tip.delta.seq }] : [];
    });
  }

  /** L6: a member has folded what something here waits for (`out-of-step.ts`). Answers which of it is folded here, too. */
  hearFolded(places: readonly DeltaPlace[], from: DeviceId): readonly DeltaPlace[] {
    return this.#parts.outOfStep.hearFolded(places, from);
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
