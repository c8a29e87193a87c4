/**
 * The set of deltas of one workspace, as a graph (D2, D5, D6, D8). It answers what is in whose past; it judges nothing.
 * A delta comes in only when its past is there (`waiting.ts`), where it names what it may (`naming.ts`) and, if it begins a feed, has its
 * device's admission in its past (I4). It stands in a lane (`lanes.ts`); what counts of that, for its place alone, say `branches.ts` and `generations.ts`.
 *
 * What is folded everywhere can be forgotten (L4): of each lane the graph then holds the control deltas, what comes after its
 * cut, and the place of the delta at the cut. A replica that has forgotten and one that has not take in the same deltas.
 */
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { Branches } from './branches.ts';
import type { Delta } from './delta.ts';
import { Generations } from './generations.ts';
import { Heads } from './heads.ts';
import { pastUpon, reachOf, type Lane, type Node, type Past } from './lane.ts';
import { Lanes } from './lanes.ts';
import { isPrevOf, mayName } from './naming.ts';
import { Places, type LaneRecord, type PlaceRecord } from './places.ts';
import { takeEnded, takeStrays } from './strays.ts';
import { beyond, shownBy, standingIn, vectorOf, type Vector } from './vector.ts';
import { pastOf, Waiting, type MayWant, type WantedBy } from './waiting.ts';

export { compareNodes, inPast, type Node, type Past } from './lane.ts';
export type { Vector } from './vector.ts';

export type InsertOutcome =
  | { readonly outcome: 'added'; readonly node: Node; readonly isFork: boolean; readonly isRecut: boolean }
  | { readonly outcome: 'known' }
  /** Its place is at or before the cut: it was folded, or is a rival of what was. `namedBy`: what waits for it, and may be sound. */
  | { readonly outcome: 'forgotten'; readonly namedBy: readonly Delta[] }
  | { readonly outcome: 'waiting'; readonly missing: readonly DeltaId[] }
  | { readonly outcome: 'fork'; readonly device: DeviceId }
  | { readonly outcome: 'broken' } // what it names contradicts what is here, or may not be named
  | { readonly outcome: 'overflow' };

/** What a graph asks of whoever judges what is in it. */
export interface Around {
  /** Whether a device may begin a feed with a delta that names these (I4). */
  readonly isLetIn: (delta: Delta, deps: readonly Node[]) => boolean;
  /** Whether somebody here has let a device in: what others want of it is theirs to name. */
  readonly isIn: (device: DeviceId) => boolean;
  /** Whether what a delta that waits rests on is taken for its sake, be it beyond an end of its feed (D2, A4, D8). */
  readonly mayWant: MayWant;
  /** Whether who holds this copy need not acknowledge a delta any more: he has, or writes nothing (D2). */
  readonly hasAcknowledged: (node: Node) => boolean;
}

export class Graph {
  readonly #around: Around;
  readonly #lanes = new Lanes();
  readonly #branches = new Branches(this.#lanes);
  readonly #generations: Generations;
  readonly #heads: Heads;
  readonly #places: Places;
  readonly #waiting = new Waiting();
  #arrivals = 0;

  /** Where nothing is said, everybody is let in, and who holds the copy writes nothing. */
  constructor(around: Partial<Around> = {}) {
    this.#around = {
      isLetIn: () => true,
      isIn: () => true,
      mayWant: () => true,
      hasAcknowledged: () => true,
      ...around,
    };
    this.#generations = new Generations(this.#lanes, this.#branches, (node) => this.#around.hasAcknowledged(node));
    this.#heads = new Heads(this.#lanes, this.#generations);
    this.#places = new Places(this.#lanes, this.#generations);
  }

  // ---- what is here --------------------------------------------------------------------------------------------------

  /** Deltas that are held whole. */
  get size(): number {
    let size = 0;
    for (const lane of this.#lanes.all) size += lane.nodes.length + lane.kept.size;
    return size;
  }

  get arrivals(): number {
    return this.#arrivals;
  }

  /** Whether somebody has two histories (D8). */
  get isForked(): boolean {
    return this.#lanes.branches.length > 0;
  }

  get lanes(): readonly Lane[] {
    return this.#lanes.all;
  }

  lanesOf(device: DeviceId): readonly Lane[] {
    return this.#lanes.ofDevice(device);
  }

  get(id: DeltaId): Node | undefined {
    return this.#lanes.get(id);
  }

  has(id: DeltaId): boolean {
    return this.#lanes.get(id) !== undefined || this.#waiting.has(id);
  }

  at(feed: FeedId, seq: number): Node | undefined {
    return this.#lanes.trunk(feed)?.at(seq);
  }

  /** Last delta of a feed; of a forked one the last before its fork. */
  tip(feed: FeedId): Node | undefined {
    return this.#lanes.trunk(feed)?.tip;
  }

  /** The next of its lane. */
  after(node: Node): Node | undefined {
    return this.#lanes.all[node.lane]?.at(node.delta.seq + 1);
  }

  /** A delta with those of its branch that are before it; of the beginning of a feed it alone. */
  branchTo(node: Node): Node[] {
    const lane = this.#lanes.home(node);
    if (!lane.parent || node.delta.seq <= lane.cut) return [node];
    return lane.nodes.slice(0, node.delta.seq - lane.cut);
  }

  /** Every delta after the cut, in the order of arrival: what is not in the base. */
  tail(): readonly Node[] {
    return this.#lanes.all.flatMap((lane) => lane.nodes).sort((a, b) => a.arrival - b.arrival);
  }

  /** Every delta that is held whole, in the order of arrival. */
  whole(): readonly Node[] {
    const nodes: Node[] = [];
    for (const lane of this.#lanes.all) {
      for (const node of lane.kept.values()) nodes.push(node);
      for (const node of lane.nodes) nodes.push(node);
    }
    return nodes.sort((a, b) => a.arrival - b.arrival);
  }

  // ---- how far it goes -----------------------------------------------------------------------------------------------

  /** The past of a delta that comes after everything here. */
  everything(): Past {
    return this.#lanes.all.map((lane) => lane.end);
  }

  get height(): number {
    return this.#heads.height;
  }

  /** Up to which seq of a feed the past of a delta goes, itself included; of a forked one up to the fork. */
  reach(node: Node, feed: FeedId): number {
    const trunk = this.#lanes.trunk(feed);
    return trunk ? reachOf(node, trunk.number) : 0;
  }

  /** Made anew for who asks. */
  vector(): Map<FeedId, number> {
    return vectorOf(this.#lanes);
  }

  /** D8: as the vector, but that of a forked feed the branch goes on, against which none stands that others have named. Made anew for who asks. */
  standing(): Vector {
    return standingIn(this.#lanes, this.#branches);
  }

  /** The last that is here of a device, in its newest feed, with its past. Made anew for who asks. */
  shownBy(device: DeviceId): Vector {
    return shownBy(this.#lanes, device);
  }

  /** What a peer with this vector lacks of feeds before their forks, in the order of arrival: every delta after its past. */
  beyond(theirs: Vector, upTo: (feed: FeedId) => number = () => Number.POSITIVE_INFINITY): Generator<Node> {
    return beyond(this.#lanes, theirs, upTo);
  }

  /** Up to where each feed is folded. */
  cut(): Vector {
    return this.#places.cut();
  }

  /** Whether a peer with this vector can be served from here: what it lacks has not been forgotten. */
  reaches(theirs: Vector): boolean {
    return this.#places.reaches(theirs);
  }

  isFolded(node: Node): boolean {
    return this.#places.isFolded(node);
  }

  /** Whether all that was forgotten is in the past of a delta. */
  coversCut(node: Node): boolean {
    return this.#places.coversCut(node);
  }

  // ---- what is to be named, and is (D5, D8) --------------------------------------------------------------------------

  /** The maximal heads outside a feed: the deps of its next delta (D5, D8). */
  headsOutside(feed: FeedId): readonly Node[] {
    return this.#heads.outside(feed);
  }

  /** D2: what the next delta of a feed has to name, before it knows of a later feed of some device. */
  toNameFirst(feed: FeedId): readonly Node[] {
    return this.#heads.toNameFirst(feed);
  }

  /** Whether a delta after `tip` may have what is in a lane in its past (D8). */
  canBeNamed(lane: Lane, tip: Node | undefined): boolean {
    return !tip || !lane.tip || !this.#lanes.holdsRival(tip, lane.tip);
  }

  /** Whether another device, that is in, has it in its past. */
  isNamedByOthers({ lane, delta: { device, seq } }: Node): boolean {
    const names = (other: Lane) => other.device !== device && (other.tip?.past[lane] ?? 0) >= seq;
    return this.#lanes.all.some((other) => names(other) && this.#around.isIn(other.device));
  }

  /** D8: the branches that stand against one. */
  rivalsOf(lane: Lane): readonly Lane[] {
    return this.#lanes.rivalsOf(lane);
  }

  /** D8: whether it is on a branch, and no other device has it in its past: it can say nothing of who may do what. */
  isUnnamed(node: Node): boolean {
    return this.#branches.isUnnamed(node);
  }

  // ---- what stands aside (D2, D8) ------------------------------------------------------------------------------------

  /**
   * Whether it has no effect for the place in which it stands: beyond a fork of its feed (D8), beyond what counts of a feed since a later one
   * has begun, or in a later one as if the older were not (D2).
   */
  isAside(node: Node): boolean {
    // One that is not written yet stands nowhere.
    const lane = this.#lanes.all[node.lane];
    if (!lane) return false;
    return this.#branches.isContested(lane) || this.#generations.isAside(node, lane);
  }

  /** While much is asked about what stands aside, and nothing changes that it rests on. */
  whileStill<T>(act: () => T): T {
    return this.#generations.whileStill(act);
  }

  /** D2: of older feeds of its device the ends that others have named, and a delta has not in its past: by them it counts or not. */
  standingBefore(node: Node): readonly Node[] {
    return this.#generations.standingBefore(node, this.#lanes.home(node));
  }

  /** D2: what counts here, and for others only when the next delta of the own feed has come to them: where that ends. */
  ahead(): readonly Node[] {
    return this.#generations.unnamedEnds();
  }

  /** Up to where a feed counts, as far as a later feed of its device says whose beginning is `known` (D2). */
  closedAt(place: Pick<Delta, 'device' | 'feed' | 'generation'>, known: (first: Node) => boolean): number {
    return this.#generations.closedAt(place, known);
  }

  // ---- what waits (D5) -----------------------------------------------------------------------------------------------

  get waiting(): number {
    return this.#waiting.size;
  }

  /** How often something has come to wait, or waits no more. */
  get waitingTurns(): number {
    return this.#waiting.turns;
  }

  /** Deltas whose past is not here. */
  waitingDeltas(): Iterable<Delta> {
    return this.#waiting.all();
  }

  /** One of these. */
  waitingDelta(id: DeltaId): Delta | undefined {
    return this.#waiting.get(id);
  }

  /** These, each after what it waits for. */
  waitingInOrder(): readonly Delta[] {
    return this.#waiting.inOrder();
  }

  /** Of these what is wanted. */
  wantedWaiting(): ReadonlySet<Delta> {
    return this.#waiting.allWanted(this.#around.mayWant);
  }

  /** Whether deltas of another device, or of another feed of its own, wait for it (D2, D8): as it is now, asked of as many as one likes. */
  wanted(): WantedBy {
    return this.#waiting.wanted(this.#around.mayWant);
  }

  /** What those of these rest on that wait, as far as it waits itself, or has not come. */
  lackingUnder(ids: Iterable<DeltaId>): ReadonlySet<DeltaId> {
    return this.#waiting.lackingUnder(ids);
  }

  /** What waits for a delta. */
  waitersOf({ id }: Pick<Delta, 'id'>): readonly Delta[] {
    return this.#waiting.waitersOf(id);
  }

  /** Whether something waits for it. */
  isWaitedFor({ id }: Delta): boolean {
    return this.#waiting.isWaitedFor(id);
  }

  /** Ids that waiting deltas lack and that nobody has sent. */
  missing(): readonly DeltaId[] {
    return this.#waiting.missing();
  }

  // ---- what comes in ------------------------------------------------------------------------------------------------

  /**
   * Takes a delta in, or says why not. A second branch of a feed only where `evenRival`. What waited for it is answered by `released`.
   * `arrival`: the place in the order of arrival that it had before.
   */
  insert(delta: Delta, evenRival = false, arrival?: number): InsertOutcome {
    const prev = this.#prevOf(delta);
    if (prev && this.#isNext(delta, prev)) return this.#add(delta, prev, NO_NODES, arrival);
    if (this.#lanes.get(delta.id)) return { outcome: 'known' };
    if (this.#places.isForgotten(delta, prev)) return { outcome: 'forgotten', namedBy: this.#namedBy(delta.id) };
    if (!evenRival && this.#lanes.isTaken(delta, prev)) return { outcome: 'fork', device: delta.device };
    const missing = pastOf(delta).filter((id) => !this.#lanes.get(id));
    if (missing.length > 0) {
      const waits = this.#waiting.add(delta, missing, this.#around.isIn(delta.device));
      return waits ? { outcome: 'waiting', missing } : { outcome: 'overflow' };
    }
    const deps = delta.deps.map((id) => this.#lanes.get(id)!);
    return this.#isSound(delta, prev, deps) ? this.#add(delta, prev, deps, arrival) : { outcome: 'broken' };
  }

  /** Most follow the last of their feed, and nothing need be looked for. */
  #prevOf({ feed, prev }: Delta): Node | undefined {
    if (prev === undefined) return undefined;
    const tip = this.tip(feed);
    return tip?.delta.id === prev ? tip : this.#lanes.get(prev);
  }

  /**
   * Whether it follows what its lane ends with, and names nothing else: then it is not here yet, and nothing of what follows can stand against it.
   */
  #isNext(delta: Delta, prev: Node): boolean {
    if (delta.deps.length > 0 || !isPrevOf(prev, delta)) return false;
    const lane = this.#lanes.home(prev);
    return !lane.isForked && lane.end === prev.delta.seq;
  }

  /** Waiting deltas whose past is complete now that `id` is in; they are no longer waiting. */
  released(id: DeltaId): readonly Delta[] {
    return this.#waiting.released(id, (one) => this.#lanes.get(one) !== undefined);
  }

  /**
   * What waits for a forgotten delta and may be sound. What has the whole cut in its past is not: it has the forgotten one, or its rival,
   * there already.
   */
  #namedBy(id: DeltaId): readonly Delta[] {
    const named: Delta[] = [];
    for (const waiter of this.#waiting.waitersOf(id)) {
      const prev = waiter.prev === undefined ? undefined : this.#lanes.get(waiter.prev);
      if (prev && this.coversCut(prev)) this.#waiting.discard(waiter);
      else named.push(waiter);
    }
    return named;
  }

  #isSound(delta: Delta, prev: Node | undefined, deps: readonly Node[]): boolean {
    if (!prev && !this.#around.isLetIn(delta, deps)) return false;
    return mayName(this.#lanes, delta, prev, deps);
  }

  #add(delta: Delta, prev: Node | undefined, deps: readonly Node[], arrival = this.#arrivals + 1): InsertOutcome {
    const before = this.#lanes.all.length;
    const lane = this.#laneFor(delta, prev);
    let height = prev?.height ?? 0;
    for (const dep of deps) height = Math.max(height, dep.height);
    const node: Node = {
      delta,
      height: height + 1,
      lane: lane.number,
      past: pastUpon(lane.number, prev, deps),
      arrival,
    };
    this.#arrivals = Math.max(this.#arrivals, arrival);
    this.#lanes.append(node);
    this.#heads.take(node, prev, deps);
    const isFork = lane.parent !== undefined && this.#lanes.all.length > before;
    const isNews = this.#branches.take(node);
    const isRecut = this.#generations.take(node, lane, isNews) || isFork || isNews;
    return { outcome: 'added', node, isFork, isRecut };
  }

  // ---- lanes --------------------------------------------------------------------------------------------------------

  /** Where a delta goes: the lane it continues, or a new one. Where its place is taken, the lane is cut there (D8). */
  #laneFor(delta: Delta, prev: Node | undefined): Lane {
    const { feed, device, generation, seq } = delta;
    const upon = prev ? this.#lanes.home(prev) : this.#lanes.trunk(feed);
    if (!upon) return this.#begin({ feed, device, generation, parent: undefined, first: 1, firstId: undefined });
    if (upon.end === seq - 1 && !upon.isForked) return upon;
    if (upon.end >= seq) this.#cutLane(upon, seq - 1);
    return this.#begin({ feed, device, generation, parent: upon, first: seq, firstId: delta.id });
  }

  #begin(place: Parameters<Lanes['begin']>[0]): Lane {
    const lane = this.#lanes.begin(place);
    this.#generations.begin(lane);
    return lane;
  }

  /** A lane ends where it forks: every past is another now, and whatever is told by it is told anew. */
  #cutLane(lane: Lane, end: number): void {
    const branch = this.#lanes.cut(lane, end);
    this.#branches.takeAnew();
    this.#generations.begin(branch);
    this.#generations.split();
  }

  // ---- a base (L6) --------------------------------------------------------------------------------------------------

  /** A lane of a base, after those it hangs on: what is before its cut is folded, and only its end is known. */
  loadLane(record: LaneRecord): void {
    this.#places.loadLane(record);
  }

  /** After all lanes. */
  loadPlace(record: PlaceRecord): void {
    this.#places.loadPlace(record);
  }

  /** After all lanes: a control delta of a base, in D6 order. */
  loadControl(delta: Delta, lane: number, height: number, past: Past): Node {
    return this.#places.loadControl(delta, lane, { height, past, arrival: ++this.#arrivals });
  }

  /** After all control deltas: what nothing names, and how many had arrived. */
  loaded(arrivals: number): void {
    this.#arrivals = Math.max(this.#arrivals, arrivals);
    this.#heads.load();
    this.#branches.takeAll();
  }

  // ---- forgetting (L4) ------------------------------------------------------------------------------------------------

  /**
   * Forgets what is at or before the cut, which is closed under past, but for control deltas; of the delta at the cut itself, and of
   * those that something after it names, their places stay.
   */
  forget(cut: Past): void {
    this.#places.forget(cut);
  }

  /**
   * D8: lets go of what nobody can name any more: of a branch all have acknowledged a rival of, what no other feed has in its past. It is here
   * alone: it would never be folded, nor what comes after it, and keep the places of what it names. Answers what that was.
   */
  dropStrays(stable: Past, own: DeviceId): ReadonlySet<Node> {
    return this.#dropped(takeStrays(this.#lanes, this.#branches, stable, own));
  }

  /**
   * Lets go of what of other devices' feeds `isEnded`, with what goes on from that in its lane, as far as nothing else here has it in its past:
   * not one that another of these alone names. Answers what that was.
   */
  letGo(isEnded: (delta: Delta) => boolean, own: DeviceId): ReadonlySet<Node> {
    return this.#dropped(takeEnded(this.#lanes, isEnded, own));
  }

  #dropped(gone: ReadonlySet<Node>): ReadonlySet<Node> {
    for (const node of gone) this.#lanes.drop(node);
    this.#heads.drop(gone);
    this.#waiting.areGone(new Set([...gone].map(({ delta }) => delta.id)));
    return gone;
  }
}

const NO_NODES: readonly Node[] = [];
