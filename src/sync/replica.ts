/**
 * One member's copy of one workspace: the graph, the verdicts on it and the rows it folds to. There is one door by which a
 * delta enters (`#enter`), whether it is ours, another's or read back from the journal. What is before that door is in `intake.ts`; what follows from all
 * that is inside is worked out when somebody looks (`#settle`).
 *
 * Pure: what must be made durable comes back as bytes, and the caller makes it so before anybody else hears of it (D1).
 */
import { assert } from '../base/assert.ts';
import type { AccountId, DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { Authority } from './authority.ts';
import { badBase, type Base, type BaseError, type BaseParts } from './base.ts';
import { Content } from './content.ts';
import { isKnownControl, type Role, type CutAndRoot } from './control.ts';
import { checkSignature, DELTA_VERSION, DeltaReader, type Delta, type DeltaPlace, type Signer } from './delta.ts';
import { Durability } from './durability.ts';
import { Endings } from './endings.ts';
import { Entrances } from './entrances.ts';
import type { FoldVerdict, RowChange, Upon } from './fold.ts';
import { Forgetting, type Advance } from './forgetting.ts';
import { Graph, inPast, isAck, type Node, type Vector } from './graph.ts';
import { Intake, type Taken } from './intake.ts';
import { LetInVain } from './let-in-vain.ts';
import { OwnBase } from './own-base.ts';
import { ACK, OwnFeed, type Entry } from './own-feed.ts';
import type { RowRecord } from './packed-rows.ts';
import type { Action, Scope } from './permissions.ts';
import type { Reducer, Row, Transaction } from './reducer.ts';
import { OutOfStep } from './out-of-step.ts';
import { PassedBy } from './passed-by.ts';
import { rosterOf, type Roster } from './roster.ts';
import { Serving } from './serving.ts';
import type { Allowance } from './settings.ts';
import { StateMark } from './state-mark.ts';
import { activeDevices, firstUnacknowledged, isActive } from './stability.ts';
import { ToolWords } from './tool-words.ts';

export type { Entry } from './own-feed.ts';

export interface ReplicaOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reducers: readonly Reducer[];
  /** The feed this device writes. */
  readonly own: FeedId;
  /** Of this workspace: copies of it may have one in common. */
  readonly reader?: DeltaReader;
}

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
  readonly #reader: DeltaReader;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrances: Entrances;
  readonly #letInVain: LetInVain;
  readonly #content: Content;
  readonly #base: OwnBase;
  readonly #endings: Endings;
  readonly #own: OwnFeed;
  readonly #durability: Durability;
  readonly #passedBy: PassedBy;
  readonly #outOfStep: OutOfStep;
  readonly #forgetting: Forgetting;
  readonly #stateMark: StateMark;
  readonly #serving: Serving;
  readonly #intake: Intake;
  /** Come in, and not yet judged and applied. */
  readonly #entered: Node[] = [];
  #controls = 0;
  /** D2, D8: what stands aside may be other deltas than before. */
  #isRecut = false;
  /** D2: what this device had written before in another feed has come. */
  #hasComeAgain = false;
  #roster: Roster;

  constructor(options: ReplicaOptions) {
    const { crypto, workspace } = options;
    this.#crypto = crypto;
    this.workspace = workspace;
    this.#reader = options.reader ?? new DeltaReader(crypto, workspace);
    const isIn = (device: DeviceId) => isActive(this.#graph, this.#authority, this.#roster, device);
    this.#graph = new Graph({
      isLetIn: (delta, deps) => this.#entrances.isLetIn(delta, deps),
      isIn,
      mayWant: (waiter) => isIn(waiter.device) && !this.#own.isLost(waiter),
      hasAcknowledged: (node) => this.#own.hasAcknowledged(node),
    });
    this.#authority = new Authority(crypto, this.#graph);
    this.#entrances = new Entrances(crypto, workspace);
    this.#letInVain = new LetInVain(this.#graph, this.#authority, this.#entrances);
    const tools = new ToolWords(this.#authority);
    this.#content = new Content(this.#graph, this.#authority, tools, options.reducers);
    this.#base = new OwnBase(crypto, workspace, this.#graph, this.#content);
    const entrancesOf = (device: DeviceId) => this.#entrances.of(device);
    this.#endings = new Endings(crypto, this.#graph, this.#authority, entrancesOf, isIn);
    this.#own = new OwnFeed({
      ...{ crypto, workspace, feed: options.own, graph: this.#graph, authority: this.#authority },
      ...{ entrances: this.#entrances, endings: this.#endings },
    });
    this.#durability = new Durability(this.#graph, this.#own);
    const isBarred = (delta: Delta) => this.#endings.isBarred(delta, this.#own.feed);
    const entrancesSince = (device: DeviceId) => this.#endings.entrancesSince(device, this.#own.feed);
    this.#passedBy = new PassedBy({ crypto, graph: this.#graph, entrancesOf: entrancesSince, isBarred });
    this.#outOfStep = new OutOfStep({
      ...{ graph: this.#graph, authority: this.#authority, content: this.#content },
      ...{ endings: this.#endings, own: this.#own, passedBy: this.#passedBy },
    });
    this.#forgetting = new Forgetting({
      ...{ graph: this.#graph, content: this.#content, entrances: this.#entrances, own: this.#own, base: this.#base },
    });
    this.#stateMark = new StateMark(crypto, this.#graph, this.#authority, this.#content);
    this.#serving = new Serving(crypto, workspace, this.#graph, (node) => this.isDurable(node));
    this.#intake = new Intake({
      ...{ crypto, workspace, reader: this.#reader, graph: this.#graph, own: this.#own, endings: this.#endings },
      ...{ passedBy: this.#passedBy, outOfStep: this.#outOfStep, serving: this.#serving },
      enter: (node, isRecut) => {
        this.#enter(node);
        if (isRecut) this.#isRecut = true;
      },
    });
    this.#roster = rosterOf(this.#authority, tools);
  }

  get roster(): Roster {
    this.#settle();
    return this.#roster;
  }

  /** D10: something of a newer version is here; what it means is not known. */
  get sawNewer(): boolean {
    this.#settle();
    return this.#content.sawNewer;
  }

  /** D10: the devices that have written it. */
  get newer(): ReadonlySet<DeviceId> {
    this.#settle();
    return this.#content.newer;
  }

  /** D8: devices that have shown two histories. */
  get forked(): ReadonlySet<DeviceId> {
    return this.#endings.forked;
  }

  get size(): number {
    return this.#graph.size;
  }

  /** What is held, of the own feed only what is durable (D1): what others may be told. As it is now: it does not change with the copy. */
  vector(): Vector {
    return this.#durability.vector();
  }

  /** D1: of what is held what is on disk, of others' feeds, too. */
  durable(): Vector {
    return this.#durability.durable();
  }

  /** D8: up to where what is here of each feed has its effect, as far as forks go: what a freeze leaves to it. */
  standing(): Vector {
    return this.#graph.standing();
  }

  /** D2: what is written from now on stands in this feed of the same device. */
  beginFeed(own: FeedId): void {
    this.#own.begin(own);
    this.#isAckDue = undefined;
    this.#durability.changed();
  }

  /** It is on disk, an own one with those before it. */
  madeDurable(node: Node): void {
    this.#durability.madeDurable(node);
  }

  /** D1: whether others may hear of it. */
  isDurable({ delta }: Node): boolean {
    return this.#own.isDurable(delta);
  }

  /** Every delta that is held whole, in the order of arrival. */
  nodes(): Iterable<Node> {
    return this.#graph.whole();
  }

  /** Of these what is not in the base. */
  tail(): readonly Node[] {
    return this.#graph.tail();
  }

  /** Of this device what is on disk and waits for its past (L6). */
  ownWaiting(): readonly Delta[] {
    return this.#durability.ownWaiting();
  }

  /** D2: of what this device had written in another feed, and has come back, what waits for its past: that may be taken no more. */
  comeBack(): readonly Delta[] {
    return this.#graph.waiting === 0 ? [] : [...this.#graph.waitingDeltas()].filter((delta) => this.#own.isLost(delta));
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

  allowance(scope: Scope, action: Action, role: Role, tool?: ToolId): Allowance {
    this.#settle();
    return this.#authority.settings.allowance(scope, action, role, tool);
  }

  row(tool: ToolId, table: string, key: string): Row | undefined {
    this.#settle();
    return this.#content.fold.row(tool, table, key);
  }

  /** As it stands in the base, which all have acknowledged. */
  baseRow(tool: ToolId, table: string, key: string): Row | undefined {
    this.#settle();
    return this.#content.fold.baseRow(tool, table, key);
  }

  rows(): Iterable<RowChange> {
    this.#settle();
    return this.#content.fold.rows();
  }

  /** Every row of the tables of a name, to be looked through in pieces while others come and go: some are told twice. */
  scan(table: string): Iterable<RowRecord> {
    this.#settle();
    return this.#content.fold.scan(table);
  }

  /** Where rows may be others than those of the base as it was written last. */
  get upon(): Upon {
    this.#settle();
    return this.#content.fold.upon;
  }

  /** Who asks for changes knows the rows of the base that was loaded. */
  baseIsTold(): void {
    this.#content.fold.baseIsTold();
  }

  takeChanges(): readonly RowChange[] {
    this.#settle();
    return this.#content.fold.takeChanges();
  }

  /**
   * Whether the own feed should say what has been seen (L4): something that is no ack is here and not in its past. An ack asks
   * for none, so it ends.
   */
  get isAckDue(): boolean {
    // D8: whose feed is forked cannot go on in it.
    return !this.#endings.forked.has(this.#own.device) && (this.#isAckDue ??= this.#own.isAckDue);
  }

  /** Until something enters: it is asked for whenever it is asked when to wake. */
  #isAckDue: boolean | undefined;

  /**
   * D2: what was lost of an older feed of ours has come back: it may count again only when the present one has it in its past, and what is
   * written here only then.
   */
  get hasComeBack(): boolean {
    return !this.#endings.forked.has(this.#own.device) && this.#own.hasComeBack;
  }

  /** Up to which seq of a feed the past of a delta goes, itself included; of a forked one up to the fork. */
  reach(node: Node, feed: FeedId): number {
    return this.#graph.reach(node, feed);
  }

  missing(): readonly DeltaId[] {
    return this.#graph.missing();
  }

  /** Whether a delta has come, and waits for its past (D5). */
  isWaiting(id: DeltaId): boolean {
    return this.#graph.has(id) && this.#graph.get(id) === undefined;
  }

  /** 'accepted' or why it has no effect, for control and content alike. */
  verdictOf(id: DeltaId): 'accepted' | Exclude<FoldVerdict, 'applied'> | undefined {
    this.#settle();
    const control = this.#authority.verdictOf(id);
    if (control) return control.accepted ? 'accepted' : control.reason;
    const node = this.#graph.get(id);
    if (!node) return undefined;
    const content = this.#content.fold.verdictOf(node);
    if (content === 'applied') return this.#roster.tools.has(node.delta.tool!) ? 'accepted' : 'unknownTool';
    if (content) return content;
    if (!isAck(node.delta) || node.delta.bytes.length === 0) return undefined;
    const judged = this.#authority.judge(node);
    return judged.accepted ? 'accepted' : judged.reason;
  }

  /** K2: a word against a device that can never come in here, and is believed all the same. */
  wordAgainst(device: DeviceId, account: AccountId): Node | undefined {
    this.#settle();
    return this.#endings.wordAgainst(device, account, this.#roster);
  }

  /** A4, L7: the word beyond whose cut the own feed has gone on as if it had not heard of it. */
  get endOfOwn(): Node | undefined {
    this.#settle();
    return this.#endings.endOf(this.#own.feed) ?? this.#endings.endBefore(this.#own.feed);
  }

  /** K2: the last word that takes out a device which nothing that counts here has ever let in. */
  wordOnStranger(device: DeviceId): Node | undefined {
    this.#settle();
    return this.#roster.devices.has(device) ? undefined : this.#endings.returned([device]).get(device);
  }

  /** Devices that have been let in again, each with the last word that took it out (L7). */
  returned(): ReadonlyMap<DeviceId, Node> {
    return this.#endings.returned(this.roster.devices.keys());
  }

  /** The last word that let a device in (I4, L7). */
  entranceOf(device: DeviceId): Node | undefined {
    return this.#entrances.of(device).findLast(({ delta }) => this.verdictOf(delta.id) === 'accepted');
  }

  /** What cuts off those by whose words a device is let in, and is not, in D6 order (K2). */
  cutsOfWhoLetIn(device: DeviceId): readonly Node[] {
    this.#settle();
    return this.#letInVain.cutsOf(device);
  }

  /** K2, A4: the first word that cuts off who has let a device in, where nothing that counts here ever has. */
  cutOfWhoLetIn(device: DeviceId): Node | undefined {
    this.#settle();
    return this.#letInVain.cutOf(device, this.#roster);
  }

  /** K2, N3: other devices that are out though no word names them. */
  letInVain(): readonly DeviceId[] {
    this.#settle();
    return this.#letInVain.devices(this.#own.device, this.#roster);
  }

  /** D2: whether a later feed of its device has begun without a delta, which nobody is known to have named: it counts no more. */
  isLeftBehind({ feed, seq }: DeltaPlace): boolean {
    const [device, generation] = feed.split('.') as [DeviceId, string];
    return seq > this.#graph.closedAt({ device, feed, generation: Number(generation) }, () => true);
  }

  /** I4: whether a device may write here: some control delta lets it in. */
  isLetIn(device: DeviceId): boolean {
    return this.#entrances.has(device);
  }

  // ---- the own feed -------------------------------------------------------------------------------------------------

  /**
   * Why the first of these that would have no effect would have none (D9), or undefined where all would be accepted, one upon
   * the other: asked before they are written, so that what its author may not do never leaves a trace.
   */
  wouldRefuse(device: DeviceId, entries: readonly Entry[], now: number): Exclude<FoldVerdict, 'applied'> | undefined {
    this.#settle();
    // D8: a feed with two histories cannot go on: nobody would take it.
    if (this.#endings.forked.has(device)) return 'forked';
    const stages = new Map<ToolId, Transaction>();
    for (const [i, entry] of entries.entries()) {
      const draft = this.#own.draft(device, entry, i, now);
      const { tool } = entry;
      if (tool === undefined) {
        const verdict = this.#authority.judgeDraft(draft);
        if (!verdict.accepted) return verdict.reason;
        continue;
      }
      const stage = stages.get(tool) ?? this.#content.fold.rehearsal(tool);
      stages.set(tool, stage);
      const verdict = this.#content.rehearse(draft, stage);
      if (verdict !== 'applied') return verdict;
    }
    return undefined;
  }

  /** I4: whether the first delta of the own feed could come in (`own-feed.ts`). */
  get canBegin(): boolean {
    return this.#own.canBegin;
  }

  /** Signs entries as the next deltas of the own feed and takes them in. The caller makes `bytes` durable before it sends. */
  author(signer: Signer, entries: readonly Entry[], now: number): readonly Node[] {
    const nodes: Node[] = [];
    for (const entry of entries) {
      for (let named = this.#own.toNameBefore(); named; named = this.#own.toNameBefore())
        nodes.push(this.#authorOne(signer, ACK, now, named));
      nodes.push(this.#authorOne(signer, entry, now));
    }
    return nodes;
  }

  #authorOne(signer: Signer, entry: Entry, now: number, named?: readonly Node[]): Node {
    this.#settle();
    const signed = this.#own.sign(signer, entry, now, named);
    // Read back, so that what stands here is what others read; one that they would refuse would end the feed for them.
    const read = this.#reader.read(signed.bytes);
    assert(read.ok && read.value.id === signed.id, 'an own delta is one that others take');
    const delta = read.value;
    const outcome = this.#graph.insert(delta);
    assert(outcome.outcome === 'added', `an own delta is added, not ${outcome.outcome}`);
    this.#enter(outcome.node);
    if (this.#turnsAhead() || outcome.isRecut) this.#isRecut = true;
    this.#serving.checked(delta);
    return outcome.node;
  }

  // ---- others' deltas -----------------------------------------------------------------------------------------------

  /** What was durable here once: authentic then (D7), though the signature that proved it may not have come back. */
  restore(bytes: Uint8Array, arrival?: number): void {
    const delta = this.#reader.read(bytes);
    if (!delta.ok) return;
    const added = this.#intake.takeBack(delta.value, arrival);
    if (added.length === 0) this.#durability.waits(delta.value);
    for (const node of added) this.madeDurable(node);
  }

  /** What another copy holds besides, which comes after the base that this one has begun with; what of it is not on disk yet is not here either. */
  takeOver(other: Replica): void {
    for (const { delta } of other.nodes()) this.restore(delta.bytes);
    for (const { bytes } of other.ownWaiting()) this.restore(bytes);
    this.#own.takeOver(other.#own);
    this.#durability.takeOver(other.#durability);
  }

  /** Runs of feeds as they came (S2): one signature check per contiguous run, at its end (D7). `from`: the device that has sent them. */
  ingest(runs: readonly (readonly Uint8Array[])[], from?: DeviceId): Ingest {
    const before = this.#controls;
    const taken = this.#intake.take(runs, from, this.#roster);
    const { added, heard } = taken;
    for (const node of added) this.#durability.cameIn(node);
    this.#settle();
    const feeds = new Set([...heard.map(({ feed }) => feed), ...added.map(({ delta }) => delta.feed)]);
    const held = this.#heldOf(heard.length > 0 ? feeds : this.#graph.vector().keys());
    return { ...taken, held, controlChanged: this.#controls !== before, missing: this.#graph.missing() };
  }

  #heldOf(feeds: Iterable<FeedId>): Ingest['held'] {
    return [...feeds].flatMap((feed) => {
      const tip = this.#graph.tip(feed);
      return tip ? [{ feed, seq: tip.delta.seq }] : [];
    });
  }

  /** L6: a member has folded what something here waits for (`out-of-step.ts`). Answers which of it is folded here, too. */
  hearFolded(places: readonly DeltaPlace[], from: DeviceId): readonly DeltaPlace[] {
    return this.#outOfStep.hearFolded(places, from);
  }

  // ---- the one door -------------------------------------------------------------------------------------------------

  /** `isFolded`: of a base, and so in everybody's past. */
  #enter(node: Node, isFolded = false): void {
    const { delta } = node;
    this.#durability.changed();
    this.#isAckDue = undefined;
    if (delta.device === this.#own.device && delta.feed !== this.#own.feed) this.#hasComeAgain = true;
    if (delta.version !== DELTA_VERSION || (delta.tool === undefined && !isKnownControl(delta.kind))) {
      this.#content.addForeign(node);
      return;
    }
    if (isAck(delta)) return;
    if (delta.tool === undefined) {
      this.#controls++;
      if (!isFolded) {
        this.#forgetting.note(node);
        this.#outOfStep.note(node);
      }
      this.#entrances.note(node);
    }
    this.#entered.push(node);
  }

  /** Judges and applies what has come in, all of it at once: whoever looks calls this first. */
  #settle(): void {
    if (this.#entered.length === 0 && !this.#isRecut && !this.#hasComeAgain) return;
    const entered = this.#entered.splice(0);
    const controls = entered.filter((node) => node.delta.tool === undefined);
    let reaches = this.#isRecut;
    if (controls.length > 0) reaches = this.#authority.addAll(controls) || reaches;
    const isTurned = this.#isRecut && this.#authority.recut();
    this.#isRecut = false;
    if (controls.length > 0 || isTurned) this.#followControls();
    if (this.#turnsAhead()) reaches = true;
    if (reaches) this.#content.reconsider();
    this.#content.insertAll(entered.filter((node) => node.delta.tool !== undefined));
    // Before anything more is folded: the word is about what is folded now.
    if (controls.length > 0 || isTurned) this.#base.seekVoucher(this.#roster.vouchers);
    if (this.#hasComeAgain) this.#letGoOfEnded();
  }

  /**
   * D2, A4: what was taken before it was known that this device had acknowledged an end of its feed, in what it has lost since: others may have
   * folded upon that acknowledgement, and could take nothing that names it.
   */
  #letGoOfEnded(): void {
    this.#hasComeAgain = false;
    const isWanted = this.#graph.wanted();
    const isEnded = (delta: Delta) => this.#endings.isBarred(delta, this.#own.feed) && !isWanted(delta);
    this.#withdraw(this.#graph.letGo(isEnded, this.#own.device));
  }

  /** The verdicts on control deltas are others. */
  #followControls(): void {
    const tools = new ToolWords(this.#authority);
    this.#roster = rosterOf(this.#authority, tools);
    this.#endings.follow();
    this.#passedBy.endsChanged();
    this.#content.learnTools(tools, this.#roster);
  }

  /** L6: whether its base may be another than others', so that one from a manager has to put it right (`out-of-step.ts`). */
  get isOutOfStep(): boolean {
    this.#settle();
    return this.#outOfStep.isSo;
  }

  /** D2: something counts here that for others counts when the next own delta has come to them: what it is to name first. */
  get isAhead(): boolean {
    return this.#graph.ahead().length > 0;
  }

  /**
   * D2: whether what counts here alone is something else than when this was asked last: what is written here has named it, or knows of the later
   * feed without it. No delta that comes says so.
   */
  #turnsAhead(): boolean {
    const before = this.#ahead;
    this.#ahead = this.#graph.ahead();
    return before.length !== this.#ahead.length || before.some((end, i) => end !== this.#ahead[i]);
  }

  #ahead: readonly Node[] = [];

  // ---- what it adds up to (L6) ----------------------------------------------------------------------------------------

  /**
   * First bytes of the hash of all rows and of the control deltas that count: replicas that hold the same agree on it, whatever they have
   * forgotten. Undefined where it says nothing: while something is not durable and so not told (D1), where something of a
   * newer version is here (D10), where somebody has two histories (D8), where something counts here alone till the next own delta (D2), and in a copy that knows itself out of step. Costs what has changed since
   * it was last asked for.
   */
  stateMark(): string | undefined {
    this.#settle();
    return this.#isComparable() ? this.#stateMark.workOut() : undefined;
  }

  /** Does a share of the work that `stateMark` will need, and answers whether nothing is left of it. */
  prepareStateMark(leaves: number): boolean {
    this.#settle();
    return !this.#isComparable() || this.#stateMark.prepare(leaves);
  }

  #isComparable(): boolean {
    if (this.#graph.isForked || this.#endings.forked.size > 0 || this.sawNewer || this.isOutOfStep) return false;
    if (this.isAhead) return false;
    return this.#durability.isWhole;
  }

  /** The same where it is known already; empty where it would have to be worked out. */
  get knownStateMark(): string {
    const { known } = this.#stateMark;
    return known !== undefined && this.#isComparable() ? known : '';
  }

  // ---- forgetting (L4) ------------------------------------------------------------------------------------------------

  /** Whose acknowledgement a delta needs to be stable. */
  get active(): ReadonlySet<DeviceId> {
    this.#settle();
    return activeDevices(this.#graph, this.#authority, this.#roster, this.#entrances.devices());
  }

  /** L7: the arrival of the first delta that holds back the log since a device has not acknowledged it; undefined for none. */
  heldBackFrom(device: DeviceId): number | undefined {
    const record = this.roster.records.get(device);
    return record && firstUnacknowledged(this.#graph, device, record.letIn);
  }

  /** L7: whether a device was ever dropped, let in again since or not: it may ask to come back. */
  wasDropped(device: DeviceId): boolean {
    this.#settle();
    return this.#endings.wasDropped(device);
  }

  /** Whether a device was ever taken out, or its account, let in again since or not. */
  wasTakenOut(device: DeviceId): boolean {
    this.#settle();
    return this.#endings.returned([device]).size > 0;
  }

  /** K2: what takes a device out, and was not known to who said that its person leaves. */
  takenOutBeside(leave: Node, device: DeviceId): Node | undefined {
    this.#settle();
    const word = this.#endings.returned([device]).get(device);
    return word && !inPast(word, leave) ? word : undefined;
  }

  /** A1: whether one account stands above another, so that its manager may take the other's devices out (A2). */
  isSenior(account: AccountId, to: AccountId): boolean {
    this.#settle();
    return this.#authority.isSenior(account, to);
  }

  /**
   * Folds into the base what all active devices have acknowledged, as far as it goes, and forgets it. Answers what was folded,
   * and how many deltas are forgotten.
   */
  advance(active: Iterable<DeviceId> = this.active): Advance {
    this.#settle();
    const stable = this.#forgetting.stable(active);
    this.#withdraw(this.#forgetting.dropStrays(stable));
    return this.#forgetting.advance(stable);
  }

  /** D8: these have left the graph, as if they had never come. */
  #withdraw(gone: ReadonlySet<Node>): void {
    if (gone.size === 0) return;
    for (const one of [this.#forgetting, this.#entrances, this.#durability, this.#content]) one.withdraw(gone);
    this.#stateMark.changed();
    this.#isAckDue = undefined;
    if (!this.#authority.withdraw(gone)) return;
    this.#followControls();
    this.#content.reconsider();
  }

  /** Whether all active devices have acknowledged every control delta that is here, as far as `advance` has found. */
  get isSettled(): boolean {
    return this.#forgetting.isSettled;
  }

  // ---- the base (L6) --------------------------------------------------------------------------------------------------

  /** What is folded, whole: to keep, or to give to somebody who has nothing yet. */
  base(): BaseParts {
    this.#settle();
    return this.#base.parts();
  }

  /** What it adds up to, and up to where: what a manager vouches for. */
  baseRoot(): CutAndRoot {
    this.#settle();
    return this.#base.present();
  }

  /** Up to where each feed is folded. */
  cut(): Vector {
    return this.#graph.cut();
  }

  /** Of which of its feeds something is here, folded or not (D2). */
  generationsOf(device: DeviceId): readonly number[] {
    return this.#graph
      .lanesOf(device)
      .filter(({ end }) => end > 0)
      .map(({ generation }) => generation);
  }

  /** Whether a device has written here: then it has acknowledged all that is folded (L4). */
  hasWritten(device: DeviceId): boolean {
    return this.#graph.lanesOf(device).some((lane) => lane.end > 0);
  }

  /** What a device has held when it wrote the last that is here of it: that, with its past (D5). Of one that has begun again from an older store it may lack some since (D2). */
  shownBy(device: DeviceId): Vector {
    return this.#graph.shownBy(device);
  }

  /** Root of a base from elsewhere for which nobody has vouched yet (L6): it is not served on. */
  get unconfirmed(): Uint8Array | undefined {
    return this.#base.unconfirmed;
  }

  set unconfirmed(root: Uint8Array | undefined) {
    this.#base.unconfirmed = root;
  }

  get isConfirmed(): boolean {
    this.#settle();
    this.#base.seekVoucher(this.#roster.vouchers);
    return this.unconfirmed === undefined;
  }

  /** Whether something is folded, or forgotten. */
  get hasBase(): boolean {
    return this.#base.isThere;
  }

  /** Whether a peer that holds this can be served from the log: else it takes the base first. */
  reaches(theirs: Vector): boolean {
    return this.#graph.reaches(theirs);
  }

  /**
   * Begins with a base, in a replica that holds nothing. `isOwn`: what was durable here, whose signatures were checked when it came.
   * A replica that has answered with an error is of no more use. `arrivals`: how many deltas had arrived when it was kept.
   */
  load(base: Base, isOwn: boolean, arrivals = 0): Result<void, BaseError> {
    assert(this.#graph.lanes.length === 0, 'a base is loaded into an empty replica');
    if (!isOwn && !base.controls.every(({ delta }) => checkSignature(this.#crypto, this.workspace, delta)))
      return badBase('badSignature');
    for (const lane of base.lanes) this.#graph.loadLane(lane);
    for (const place of base.places) this.#graph.loadPlace(place);
    const nodes = base.controls.map(({ delta, lane, height, past }) =>
      this.#graph.loadControl(delta, lane, height, past),
    );
    this.#graph.loaded(arrivals);
    for (const node of nodes) this.#enter(node, true);
    this.#settle();
    if (!isOwn && !this.#content.couldHold(base.rows)) return badBase('badRow');
    this.#content.load(base.rows, base.end);
    this.#own.allDurable();
    this.#durability.changed();
    this.#settle();
    return this.#base.begunWith(base, isOwn) ? ok(undefined) : badBase('badRoot');
  }

  // ---- what others lack -----------------------------------------------------------------------------------------------

  /** Runs that a peer with this vector lacks (`serving.ts`). */
  lacking(theirs: Vector, maxBytes: number, upTo?: (feed: FeedId) => number): readonly (readonly Node[])[] {
    return this.#serving.lacking(theirs, maxBytes, upTo);
  }

  /** Runs with deltas that somebody asks for by id (`serving.ts`). */
  serveIds(ids: Iterable<DeltaId>): readonly (readonly Node[])[] {
    return this.#serving.byIds(ids);
  }

  /** Of what somebody asks for by id what is folded here, and can be served to nobody. */
  foldedAmong(ids: Iterable<DeltaId>): readonly Node[] {
    return this.#serving.folded(ids);
  }
}

/** A new workspace's id is its genesis delta's. */
export function genesisId(delta: Delta): WorkspaceId {
  return delta.id as string as WorkspaceId;
}
