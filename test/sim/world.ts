/** A world: devices of people, the network between them, and time. One plan is one run, whatever the machine. */
import type { AccountId, DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { readDelta, signDelta, type Delta } from '../../src/sync/delta.ts';
import type { Certificate } from '../../src/protocol/certificate.ts';
import { boxEpoch, epochOf, type BoxTarget } from '../../src/sync/epoch.ts';
import type { Folded } from '../../src/sync/fold.ts';
import type { Node } from '../../src/sync/graph.ts';
import { genesisId, type Replica } from '../../src/sync/replica.ts';
import { fastCrypto } from '../fakes/fast-crypto.ts';
import { Agenda } from './agenda.ts';
import { Counts } from './counts.ts';
import type { Growth } from '../../src/sync/engine.ts';
import { SimDevice, type Packet, type Surroundings } from './device.ts';
import { Dice } from './dice.ts';
import { JournalLog, ListLog } from './log.ts';
import { Network } from './network.ts';
import { makePerson, START, type Identity, type Person } from './people.ts';
import type { WorldConfig } from './plan.ts';
import { FoldedOnce, type Life } from './pruning.ts';
import { ReadOnce } from './read-once.ts';

export const CHAT = '00000000000000c1' as ToolId;
export const FILES = '00000000000000f1' as ToolId;

/** How often who leaves looks whether others have all of his, ever more seldom. */
const MAX_TRIES = 10;
/** After 1, 2, 4 … minutes: two hours in all. */
const MAX_ASKED = 6;
/** Whom no word names may be in by another that is right behind (K2). */
const RESTS_MS = 60_000;
/** How long who was let in waits for a copy before he asks others, ever more seldom. */
const ASK_AGAIN_MS = 60_000;
const MAX_ASKS = 6;
/** A hundred times what a large world takes: beyond it two keep each other busy for ever. */
const MAX_STEPS = 300_000;

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

export class World implements Surroundings {
  readonly config: WorldConfig;
  readonly counts = new Counts();
  readonly crypto: Crypto;
  readonly agenda = new Agenda();
  readonly network: Network;
  readonly people: readonly Person[];
  readonly devices = new Map<DeviceId, SimDevice>();
  readonly personOf = new Map<DeviceId, Person>();
  readonly byAccount = new Map<AccountId, Person>();
  /** The last of the people: they do what they like. */
  readonly hostile = new Set<Person>();
  readonly founder: SimDevice;
  readonly workspace: WorkspaceId;
  readonly reader: ReadOnce;
  readonly violations: Violation[] = [];
  /** What was written in the world, by kind: what acts choose among. Not everybody has heard of it. */
  readonly made = new Map<string, DeltaId[]>();
  /** Whatever was ever durable in anybody's copy, each after its past: copies forget (L4). */
  readonly archive = new Map<DeltaId, Delta>();
  /** As its author has written it: who is alone may fold it before it is durable, and keep its place alone. */
  readonly #written = new Map<DeltaId, Delta>();
  /** Copies that had known themselves out of step when they were replaced, and those that were begun with one such. */
  readonly leftOutOfStep = new Set<Life>();
  readonly odd = new Set<Life>();
  /** D2: of who was put back and waits for a word, the copies that were there then: one that has begun since may be his own. */
  readonly couldTell = new Map<DeviceId, ReadonlySet<Life>>();
  readonly folds = new FoldedOnce();
  /** What honest devices have signed, by feed and place: each one thing only (D2). */
  readonly #signed = new Map<FeedId, DeltaId[]>();
  readonly offline = new Set<DeviceId>();
  /** Devices that are not let in with their people: they come later, one by one (I4). */
  readonly spare = new Set<DeviceId>();
  /** What was safe on a device whose owner is out: he is offered what others have not taken, and they need not have it. */
  readonly abandoned = new Set<DeltaId>();
  /** Devices that have signed two histories. */
  readonly forked = new Set<DeviceId>();
  /** Deltas whose signature is nobody's. */
  readonly unauthentic = new Set<DeltaId>();
  /** Devices that began again from a back-up. */
  readonly restored = new Set<DeviceId>();
  readonly #skew = new Map<DeviceId, number>();
  readonly #wakes = new Map<DeviceId, number>();
  readonly #changed = new Set<DeviceId>();
  readonly #flushing = new Set<DeviceId>();
  readonly #canConnect: Dice;
  readonly #relayable = new Set<DeviceId>();
  /** Of the acts that are still to come those that write as much as is lacking, this one too. */
  burstsLeft = 0;
  #partition: ReadonlySet<DeviceId> | undefined;
  #time = START;
  #calm = false;
  steps = 0;

  constructor(config: WorldConfig) {
    this.config = config;
    const dice = new Dice(config.seed);
    const bytes = dice.fork('keys').bytes;
    this.crypto = config.realCrypto ? nodeCrypto(bytes) : fastCrypto(bytes);
    this.#canConnect = dice.fork('paths');
    this.network = new Network({
      agenda: this.agenda,
      dice: dice.fork('network'),
      config: config.network,
      counts: this.counts,
      now: () => this.#time,
      device: (id) => this.#living(id),
      isOnline: (id) => !this.offline.has(id),
    });
    this.people = this.#makePeople(dice.fork('people'));
    this.founder = this.#found();
    this.workspace = this.#founding.workspace;
    this.reader = new ReadOnce(this.crypto, this.workspace);
  }

  #makePeople(dice: Dice): Person[] {
    const { people, hostile, manyDevices, skew_ms, relayShare, realCrypto, journal } = this.config;
    const all = Array.from({ length: people }, (_, i) =>
      makePerson(this.crypto, `P${i}`, dice.chance(manyDevices) ? dice.between(2, 3) : 1),
    );
    for (const [i, person] of all.entries()) {
      this.byAccount.set(person.account, person);
      if (i >= people - hostile) this.hostile.add(person);
      for (const identity of person.devices) {
        const log = journal && !realCrypto ? new JournalLog(this.crypto) : new ListLog();
        this.devices.set(identity.device, new SimDevice(this, identity, log));
        this.personOf.set(identity.device, person);
        if (skew_ms > 0) this.#skew.set(identity.device, dice.below(2 * skew_ms) - skew_ms);
        if (dice.chance(relayShare)) this.#relayable.add(identity.device);
      }
      if (person.devices.length > 1 && dice.chance(0.5)) this.spare.add(person.devices.at(-1)!.device);
    }
    return all;
  }

  // ---- the beginning ----------------------------------------------------------------------------------------------------------

  #founding!: { readonly workspace: WorkspaceId; readonly genesis: Delta };

  #found(): SimDevice {
    const person = this.people[0]!;
    const epoch = epochOf(this.crypto, this.crypto.randomBytes(32));
    const certificates = this.certificatesOf(person);
    const boxes = boxEpoch(this.crypto, epoch, targetsOf(certificates));
    const body = controlBody.genesis('World', person.name, certificates, boxes, this.crypto.randomBytes(16));
    const genesis = signDelta(this.crypto, person.devices[0]!.signer, undefined, {
      generation: 0,
      seq: 1,
      prev: undefined,
      deps: [],
      credential: undefined,
      time: START,
      tool: undefined,
      kind: 'genesis',
      body,
    });
    this.#founding = { workspace: genesisId(genesis), genesis };
    return this.devices.get(person.devices[0]!.device)!;
  }

  /** Everybody starts; the founder lets the first members in. */
  async begin(): Promise<void> {
    for (const device of this.devices.values()) await device.start();
    const { founder } = this;
    founder.plant(this.#founding.genesis.bytes);
    this.note(this.#founding.genesis);
    await this.#flush(founder);
    this.written(founder.control('addTool', controlBody.addTool(CHAT, 'chat', 'Chat')));
    this.written(founder.control('addTool', controlBody.addTool(FILES, 'files', 'Files')));
    for (const person of this.people.slice(1, this.config.founding)) {
      const role = this.hostile.has(person) ? Role.participant : roleOf(this.people.indexOf(person));
      this.admit(founder, person, role);
    }
    await this.#flush(founder);
    const { genesis } = this.#founding;
    for (const { device } of this.certificatesOf(this.people[0]!).slice(1))
      this.devices.get(device)!.plant(genesis.bytes);
    this.connectAll();
    await this.run(START + 10_000);
  }

  /** Lets somebody in, with a welcome to his devices. */
  admit(by: SimDevice, person: Person, role: Role, invite?: DeltaId): boolean {
    const certificates = this.certificatesOf(person);
    const boxes = by.engine.keys.box(targetsOf(certificates));
    if (!boxes) return false;
    const seen = by.replica.base.isThere && by.replica.isConfirmed ? by.replica.base.present() : undefined;
    const body = controlBody.admit(person.account, role, person.name, certificates, invite, boxes, seen);
    return this.#letIn(by, certificates, by.control('admit', body));
  }

  /** Lets devices of a member in (I4, L7). */
  addDevices(by: SimDevice, identities: readonly Identity[]): boolean {
    const certificates = identities.map(({ certificate }) => certificate);
    const boxes = by.engine.keys.box(targetsOf(certificates));
    if (!boxes) return false;
    const body = controlBody.addDevice(identities[0]!.account, certificates, boxes);
    return this.#letIn(by, certificates, by.control('addDevice', body));
  }

  #letIn(by: SimDevice, certificates: readonly Certificate[], nodes: readonly Node[] | undefined): boolean {
    const word = this.written(nodes)?.at(-1);
    if (!word) return false;
    for (const { device } of certificates) this.#welcome(by, this.devices.get(device)!, word);
    return true;
  }

  certificatesOf(person: Person): Certificate[] {
    return person.devices.filter(({ device }) => !this.spare.has(device)).map(({ certificate }) => certificate);
  }

  #welcome(by: SimDevice, joiner: SimDevice, admit: Node): void {
    this.agenda.put(this.#time + this.config.fsync_ms + 20, () => {
      // D1: what a crash took from its author before it was durable is told to nobody.
      if (!this.#living(joiner.id) || !by.onceDurable.has(admit.delta.id)) return;
      joiner.letIn(by.id, admit.delta.bytes);
      this.#letInOwn(joiner, by);
      this.network.open(by.id, joiner.id);
      if (this.#living(by.id)) joiner.heardBeat(by.id);
      this.#askElsewhere(by, joiner);
    });
  }

  /** N4: who is given no copy asks the managers' devices, too, as the service does: who has let it in may have none to give, since nobody has vouched for his. */
  #askElsewhere(by: SimDevice, joiner: SimDevice, tries = 0): void {
    if (tries === MAX_ASKS) return;
    this.agenda.put(this.#time + ASK_AGAIN_MS * 2 ** tries, () => {
      // Nor may all that it was told it is in by have come, or ever come (I4).
      const isIn = joiner.replica.size > 0 && !joiner.engine.isOutside;
      if (isIn || !joiner.sponsors.has(by.id)) return;
      for (const device of managersIn(by)) if (joiner.alive) this.#answerJoiner(this.#living(device), joiner);
      this.#askElsewhere(by, joiner, tries + 1);
    });
  }

  #answerJoiner(device: SimDevice | undefined, joiner: SimDevice): void {
    const letIn = device?.replica.roster.records.get(joiner.id)?.letIn;
    if (!device || this.isHostile(device.id) || !letIn || !device.replica.isDurable(letIn)) return;
    joiner.letIn(device.id, letIn.delta.bytes);
    this.network.open(device.id, joiner.id);
    joiner.heardBeat(device.id);
  }

  /**
   * I4: as the service lets the other devices of its person into each workspace (`own-devices.ts`): whose copy has it still in, and does not
   * know the one that has let it in again, may hear from nobody else what had taken it out.
   */
  #letInOwn(device: SimDevice, other: SimDevice): void {
    const { devices, gone } = device.replica.roster;
    const isOwn = this.personOf.get(device.id) === this.personOf.get(other.id);
    if (!isOwn || !devices.has(device.id) || devices.has(other.id) || gone.has(other.id)) return;
    if (this.addDevices(device, [other.identity])) this.counts.add('devices let in by who was let in again');
  }

  // ---- time -------------------------------------------------------------------------------------------------------------------

  get time(): number {
    return this.#time;
  }

  now(device: DeviceId): number {
    return this.#time + (this.#skew.get(device) ?? 0);
  }

  jumpClock(device: DeviceId, by_ms: number): void {
    this.#skew.set(device, (this.#skew.get(device) ?? 0) + by_ms);
    this.changed(device);
  }

  /** Until that time, or until nothing is left to happen. Answers whether it came to rest. */
  async run(until: number): Promise<boolean> {
    for (;;) {
      const { next } = this.agenda;
      if (next === undefined || next > until) {
        this.#time = until;
        return next === undefined;
      }
      const due = this.agenda.take()!;
      this.#time = due.at;
      if (++this.steps > MAX_STEPS) throw new Error(`after ${MAX_STEPS} steps it still goes on`);
      const done = due.step();
      if (done) await done;
      const settled = this.settle();
      if (settled) await settled;
    }
  }

  settle(): Promise<unknown> | undefined {
    return this.#changed.size > 0 ? this.#follow() : undefined;
  }

  /** After a step: what was written waits for its fsync, and who wants to be woken will be. */
  #follow(): Promise<unknown> | undefined {
    let writing: Promise<void>[] | undefined;
    for (const id of this.#changed) {
      const device = this.devices.get(id)!;
      if (!device.alive) continue;
      const written = device.log.pending ? device.log.written() : undefined;
      if (written) (writing ??= []).push(written);
      this.#planWake(device);
    }
    this.#changed.clear();
    return writing && Promise.all(writing);
  }

  #planWake(device: SimDevice): void {
    const wish = device.nextWake;
    if (wish === undefined) return;
    const at = Math.max(wish - (this.#skew.get(device.id) ?? 0), this.#time + 1);
    const planned = this.#wakes.get(device.id);
    if (planned !== undefined && planned <= at) return;
    this.#wakes.set(device.id, at);
    this.agenda.put(at, () => {
      if (this.#wakes.get(device.id) !== at) return;
      this.#wakes.delete(device.id);
      if (device.alive) device.tick();
      this.changed(device.id);
    });
  }

  // ---- what devices ask of the world ------------------------------------------------------------------------------------------

  send(from: DeviceId, packet: Packet): void {
    this.network.send(from, packet);
  }

  appended(id: DeviceId): void {
    this.changed(id);
    if (this.#flushing.has(id)) return;
    this.#flushing.add(id);
    this.agenda.put(this.#time + this.config.fsync_ms, () => {
      this.#flushing.delete(id);
      const device = this.devices.get(id)!;
      return device.alive ? this.#flush(device) : undefined;
    });
  }

  #flush(device: SimDevice): void | Promise<void> {
    const flushed = device.log.fsync();
    if (!flushed) return this.changed(device.id);
    return flushed.then(() => this.changed(device.id));
  }

  certificateOf(device: DeviceId): Certificate | undefined {
    return this.devices.get(device)?.identity.certificate;
  }

  isRelayable(device: DeviceId): boolean {
    return this.#relayable.has(device);
  }

  isConnected(a: DeviceId, b: DeviceId): boolean {
    return this.network.isOpen(a, b);
  }

  changed(device: DeviceId): void {
    this.#changed.add(device);
  }

  reopened(by: SimDevice): void {
    this.folds.reopened(by);
    if (!by.engine.isAwaitingWord) return;
    const withCopy = [...this.devices.values()].filter(({ replica }) => replica.size > 0);
    this.couldTell.set(by.id, new Set(withCopy.map(({ lifeName }) => lifeName)));
  }

  /** L6: where nobody's copy is any good, one alone is taken all the same: all go on with what that has. */
  renewing(by: SimDevice, before: Replica, from: DeviceId): (life: Life) => void {
    const giver = this.devices.get(from)!;
    const isOdd = giver.replica.isOutOfStep || this.odd.has(giver.lifeName);
    if (before.isOutOfStep) this.leftOutOfStep.add(by.lifeName);
    this.couldTell.delete(by.id);
    // Of whom it knew: whoever has what it had folded by itself has begun with that, and is to keep it.
    const members = [...before.roster.devices.keys()].flatMap((id) => this.devices.get(id) ?? []);
    this.folds.leftBehind(by.lifeName, (id) => members.some((device) => this.holds(device, id)));
    if (isOdd) this.counts.add('copies renewed by who was out of step');
    return (life) => {
      if (isOdd) this.odd.add(life);
    };
  }

  /** L6: who begins with the copy of such a one, unasked, has what that has. */
  begunWith(by: SimDevice, from: DeviceId): void {
    if (this.odd.has(this.devices.get(from)!.lifeName)) this.odd.add(by.lifeName);
  }

  folded(by: SimDevice, folded: readonly Folded[]): void {
    if (this.isHostile(by.id)) return;
    this.folds.take(by, folded);
    this.#foldedAlone(by, folded);
  }

  /**
   * D2: who restores a back-up, and is alone in what he has, be it that he was told of nothing but that all others are out, has nobody to wait for, and folds
   * by himself. Whom he has let in meanwhile may have folded what he lacks, and names it: of the two one has folded otherwise, and all go on with his.
   */
  #foldedAlone(by: SimDevice, folded: readonly Folded[]): void {
    const isLater = ({ node, verdict }: Folded) => node.delta.generation > 0 && verdict === 'applied';
    if (!this.restored.has(by.id) || by.replica.roster.devices.size !== 1 || !folded.some(isLater)) return;
    this.odd.add(by.lifeName);
    this.counts.add('folds by who had restored a back-up, and was alone');
  }

  took(deltas: Iterable<Delta>): void {
    for (const delta of deltas)
      if (!this.archive.has(delta.id)) this.archive.set(delta.id, this.#written.get(delta.id) ?? delta);
  }

  /** What is in a copy, also what it has folded and forgotten. Every delta after its past. */
  heldBy({ replica }: SimDevice): Delta[] {
    const cut = replica.feeds.cut();
    const named = this.forked.size > 0 ? this.#pastOf(replica.nodes()) : undefined;
    const durable = [...this.archive.values()].filter(
      ({ id, feed, seq }) => replica.node(id) !== undefined || seq <= (cut.get(feed) ?? 0) || named?.has(id),
    );
    const others = [...replica.nodes()].filter(({ delta }) => !this.archive.has(delta.id));
    return [...durable, ...others.map(({ delta }) => delta)];
  }

  /** D5: it has come, if it is forgotten meanwhile. The cut tells it of a feed up to its fork, and not of a branch (D8). */
  #pastOf(nodes: Iterable<Node>): ReadonlySet<DeltaId> {
    const past = new Set<DeltaId>();
    const open = [...nodes].flatMap(({ delta }) => namedBy(delta));
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const delta = this.archive.get(id);
      if (!delta || past.has(id)) continue;
      past.add(id);
      open.push(...namedBy(delta));
    }
    return past;
  }

  holds({ replica }: Pick<SimDevice, 'replica'>, id: DeltaId): boolean {
    const delta = this.archive.get(id);
    return (
      replica.node(id) !== undefined || (delta !== undefined && delta.seq <= (replica.feeds.cut().get(delta.feed) ?? 0))
    );
  }

  /** D1, D2: what others hear from an honest device is on its disk, and it says one thing only. D8: nobody else is not heard any more. */
  heard(by: DeviceId, { nodes, faults }: Growth): void {
    for (const { tag, device } of faults) {
      this.counts.add(`fault ${tag}`);
      if (tag === 'fork' && device && !this.forked.has(device))
        this.violate(
          'D8',
          `${this.nameOf(by)} holds ${this.nameOf(device)}, who has shown one history, for one with two`,
        );
    }
    for (const { delta } of nodes) {
      const author = this.devices.get(delta.device);
      // What of its own has waited in a copy that it has begun anew nobody else has told it.
      if (!author || delta.device === by || this.isHostile(delta.device)) continue;
      if (!author.onceDurable.has(delta.id))
        this.violate(
          'D1',
          `${this.nameOf(by)} heard ${delta.kind} ${delta.seq} of ${this.nameOf(delta.device)} before it was durable`,
        );
    }
    this.counts.add('deltas taken in', nodes.length);
  }

  // ---- what was written -------------------------------------------------------------------------------------------------------

  written(nodes: readonly Node[] | undefined): readonly Node[] | undefined {
    if (!nodes) this.counts.add('acts refused to their author');
    return nodes;
  }

  wrote(device: SimDevice, nodes: readonly Node[]): void {
    for (const [i, { delta }] of nodes.entries()) {
      this.note(delta, device);
      // The first of several acks written at once names what the last may not name before it (D2), perhaps not yet what lets its device in.
      // It names it all the same: nobody was promised more.
      if (delta.kind === 'ack' && i < nodes.length - 1) continue;
      // What its author was told he may do, he may, as far as he knows.
      const verdict = device.replica.verdictOf(delta.id);
      if (verdict !== 'accepted')
        this.violate(
          'D9',
          `${this.nameOf(device.id)} was promised its ${delta.kind} ${delta.seq}, which is ${verdict}`,
        );
    }
  }

  /** A client erases its copy when it hears that its owner is out (K2); a hostile one does not. */
  expelled(device: SimDevice, tries = 0): void {
    if (this.isHostile(device.id)) return;
    if (device.engine.isOutside) return this.#asksAgain(device, 0);
    const word = device.engine.expulsion;
    const life = device.engine;
    const isBySponsor = word !== undefined && word === device.engine.wordOnSponsor;
    const here = device.replica.arrivals;
    const wait = isBySponsor ? RESTS_MS : this.config.fsync_ms + 1_000 * 2 ** tries;
    this.agenda.put(this.#time + wait, async () => {
      if (!device.alive || device.engine !== life || device.engine.expulsion?.delta !== word?.delta) return;
      // More has come, and there may be more behind that.
      if (isBySponsor && device.replica.arrivals !== here) return this.expelled(device);
      // Who leaves sees to it first that others have what he wrote; not who was only told so by another device of his.
      const isLeaving = word?.delta.kind === 'leave' && device.replica.node(word.delta.id) !== undefined;
      if (isLeaving && !isHandedOn(device)) return tries < MAX_TRIES ? this.expelled(device, tries + 1) : undefined;
      this.counts.add(
        isBySponsor ? 'copies erased by who was let in by nothing that counts' : 'copies erased by who is out',
      );
      if (isBySponsor) this.folds.parted(device);
      await this.#erases(device);
    });
  }

  /**
   * Where none of the words that let it in is here it is no news that another had taken it out: it waits for its copy, and asks again, as in the service
   * (`isComingInto`), whoever is in where those are out who let it in (N4, L7). One of them may know that it is out again: then it goes.
   */
  #asksAgain(device: SimDevice, tries: number): void {
    const life = device.engine;
    this.agenda.put(this.#time + RESTS_MS * 2 ** tries, async () => {
      if (!device.alive || device.engine !== life || !life.expulsion) return;
      if (!life.isOutside) return this.expelled(device);
      const members = this.members();
      const sponsors = members.filter(({ id }) => device.sponsors.has(id));
      const asked = sponsors.length > 0 ? sponsors : members;
      if (!asked.some(({ replica }) => replica.roster.gone.has(device.id)))
        return tries < MAX_ASKED ? this.#asksAgain(device, tries + 1) : undefined;
      this.counts.add('copies erased by who has asked again');
      await this.#erases(device);
    });
  }

  /** What it was told is safe is not to be looked for with the others any more. */
  async #erases(device: SimDevice): Promise<void> {
    for (const id of device.acknowledged) this.abandoned.add(id);
    await device.erase();
    this.changed(device.id);
  }

  note(delta: Delta, author?: SimDevice): void {
    this.#written.set(delta.id, delta);
    this.counts.add('deltas');
    this.counts.add(`wrote ${delta.kind}`);
    const ids = this.made.get(delta.kind);
    if (ids) ids.push(delta.id);
    else this.made.set(delta.kind, [delta.id]);
    if (!author || this.isHostile(delta.device)) return;
    const feed = this.#signed.get(delta.feed) ?? [];
    this.#signed.set(delta.feed, feed);
    // What a crash took before anybody heard of it may be written otherwise.
    if (feed[delta.seq] !== undefined && feed[delta.seq] !== delta.id && author.onceDurable.has(feed[delta.seq]!))
      this.violate('D2', `${this.nameOf(delta.device)} signed two deltas ${delta.seq}`);
    feed[delta.seq] = delta.id;
  }

  read(bytes: Uint8Array): Delta | undefined {
    const delta = readDelta(this.crypto, this.workspace, bytes);
    return delta.ok ? delta.value : undefined;
  }

  violate(rule: string, detail: string): void {
    if (this.violations.length < 20) this.violations.push({ rule, detail });
  }

  nameOf(device: DeviceId): string {
    const person = this.personOf.get(device);
    return person ? `${person.name}.${person.devices.findIndex((one) => one.device === device)}` : device.slice(0, 8);
  }

  // ---- who is there -----------------------------------------------------------------------------------------------------------

  #living(id: DeviceId): SimDevice | undefined {
    const device = this.devices.get(id);
    return device?.alive ? device : undefined;
  }

  isHostile(device: DeviceId): boolean {
    return this.hostile.has(this.personOf.get(device)!);
  }

  /** Devices that are up and think that they are members. */
  members(hostile = false): SimDevice[] {
    return [...this.devices.values()].filter(
      (device) => device.alive && this.isHostile(device.id) === hostile && device.replica.roster.devices.has(device.id),
    );
  }

  identities(): Identity[] {
    return this.people.flatMap(({ devices }) => devices);
  }

  // ---- paths ------------------------------------------------------------------------------------------------------------------

  /** Whether the two are in reach of each other, now and at all. */
  canConnect(a: DeviceId, b: DeviceId): boolean {
    if (this.offline.has(a) || this.offline.has(b)) return false;
    if (this.#partition && this.#partition.has(a) !== this.#partition.has(b)) return false;
    if (this.#calm) return true;
    const pair = a < b ? a.slice(0, 8) + b.slice(0, 8) : b.slice(0, 8) + a.slice(0, 8);
    return this.#canConnect.fork(pair).chance(this.config.directPaths / this.devices.size);
  }

  /** Every path opens that may. */
  connectAll(): void {
    const ids = [...this.devices.keys()];
    for (const [i, a] of ids.entries()) for (const b of ids.slice(i + 1)) this.connect(a, b);
  }

  connectOne(a: DeviceId): void {
    for (const b of this.devices.keys()) if (b !== a) this.connect(a, b);
  }

  connect(a: DeviceId, b: DeviceId): void {
    if (this.#living(a) && this.#living(b) && this.canConnect(a, b)) this.network.open(a, b);
  }

  divide(part: ReadonlySet<DeviceId> | undefined): void {
    this.#partition = part;
    if (!part) return this.connectAll();
    for (const [a, b] of this.network.openPaths()) if (part.has(a) !== part.has(b)) this.network.cut(a, b);
  }

  goOffline(id: DeviceId): void {
    this.network.cutAll(id);
    this.offline.add(id);
  }

  goOnline(id: DeviceId): void {
    if (!this.#living(id)) return void this.offline.delete(id);
    this.offline.delete(id);
    this.connectOne(id);
    this.network.subscribe(id);
    if (!this.network.relayUp || !this.#relayable.has(id)) return;
    // The beats of its presence (T2), and the answers.
    for (const other of this.devices.values()) {
      if (other.id === id || !other.alive || this.offline.has(other.id) || this.network.isOpen(id, other.id)) continue;
      if (!this.#relayable.has(other.id)) continue;
      other.heardBeat(id);
      this.devices.get(id)!.heardBeat(other.id);
    }
  }

  /** Faults end: everybody is up, online and in reach of some others. */
  async heal(): Promise<void> {
    this.#calm = true;
    this.network.calm();
    this.#partition = undefined;
    for (const device of this.devices.values()) if (!device.alive) await device.start();
    this.offline.clear();
    for (const [a, b] of this.network.openPaths()) this.network.cut(a, b);
    for (const id of this.devices.keys()) this.network.subscribe(id);
  }
}

function targetsOf(certificates: readonly Certificate[]): BoxTarget[] {
  return certificates.map(({ device, agreementKey }) => ({
    device,
    agreementKey,
  }));
}

function managersIn({ replica }: SimDevice): readonly DeviceId[] {
  const managers = [...replica.roster.members.values()].filter(({ role }) => role === Role.manager);
  return managers.flatMap(({ devices }) => devices.map(({ certificate }) => certificate.device));
}

function roleOf(index: number): Role {
  return index % 5 === 1 ? Role.manager : index % 7 === 6 ? Role.guest : Role.participant;
}

/** As the service: who is let in anew waits for nobody who may never be met again. */
function isHandedOn({ session, isLetInAnew }: SimDevice): boolean {
  const isWith = (device: DeviceId) => session.inSync(device) || session.isRelayed(device);
  return isLetInAnew ? session.devices.some(isWith) : session.devices.every(isWith);
}

function namedBy({ prev, deps }: Delta): readonly DeltaId[] {
  return prev === undefined ? deps : [prev, ...deps];
}
