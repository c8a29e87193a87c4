/**
 * Engines at work on each other: everything is sealed and opened, direct letters arrive at once, relayed ones when their reader is
 * there. Time stands still unless it is moved.
 */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { Engine, type Growth } from '../../src/sync/engine.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import type { ChunkGeneration } from '../../src/sync/epoch.ts';
import type { Message } from '../../src/sync/messages.ts';
import type { BasePart } from '../../src/sync/base.ts';
import type { Reducer } from '../../src/sync/reducer.ts';
import type { Path } from '../../src/sync/ports.ts';
import type { Outgoing } from '../../src/sync/outgoing.ts';
import type { Entry } from '../../src/sync/replica.ts';
import { ACK_SPREAD_MS } from '../../src/sync/session.ts';
import { openSaid } from '../../src/sync/signed.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { POSTS, postFromRow } from '../../src/tools/chat/rows.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { CHAT, NOW, Team, type Person } from './team.ts';

/** Sealed bytes from one device to another. */
interface Letter {
  readonly from: DeviceId;
  readonly path: Path;
  readonly bytes: Uint8Array;
}

export class Desk {
  readonly person: Person;
  readonly engine: Engine;
  readonly office: Office;
  /** Everything that was ever addressed to it, opened or not: what a relay could hand to anybody. */
  readonly seen: Letter[] = [];
  readonly locked: Letter[] = [];
  /** Of these what came under an epoch that was erased (K4). */
  readonly late: Letter[] = [];
  /** What is no message, or not of whom it is said to be (K5). */
  readonly unsound: Letter[] = [];
  /** What was left of epochs whose message keys were erased. */
  readonly erased: ChunkGeneration[] = [];
  /** Parts of bases that were made durable. */
  readonly parts: BasePart[] = [];
  readonly faults: string[] = [];

  constructor(office: Office, person: Person, reducers: readonly Reducer[] = [chatReducer, filesReducer]) {
    this.office = office;
    this.person = person;
    this.engine = new Engine({
      crypto: office.team.crypto,
      workspace: office.team.workspace,
      reducers,
      identity: { ...person, account: person.account, device: person.device },
      generation: 0,
      relayable: () => true,
    });
  }

  get device(): DeviceId {
    return this.person.device;
  }

  write(...entries: readonly Entry[]): void {
    assert.equal(this.engine.wouldRefuse(entries, this.office.now), undefined);
    this.#took(this.engine.author(entries, this.office.now));
  }

  post(text: string): void {
    this.write({ tool: CHAT, kind: 'post', body: chatBody({ kind: 'post', text }) });
  }

  control(kind: string, body: Entry['body']): void {
    this.write({ tool: undefined, kind, body });
  }

  admit({ account, name, device, certificate }: Person, role: Role = Role.participant, invite?: DeltaId): void {
    const box = this.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
    this.control('admit', controlBody.admit(account, role, name, [certificate], invite, box));
  }

  remove(other: Desk): void {
    const epoch = this.engine.keys.make(new Set([other.device]));
    this.control('remove', controlBody.remove(other.person.account, epoch));
  }

  hear(from: Desk, { bytes }: Pick<Delta, 'bytes'>): void {
    this.#took(this.engine.ingest(from.device, 'direct', [[bytes]], this.office.now));
  }

  #took(growth: Growth): void {
    this.office.send(this, this.engine.stored(growth, this.office.now));
  }

  take(letter: Letter): void {
    const tag = envelopeTag(letter.bytes)!;
    const key = this.engine.sealKey(tag, letter.from);
    if (!key) {
      const { waits, out } = this.engine.lockedOut(letter.from, letter.path, tag, this.office.now);
      if (waits) this.locked.push(letter);
      else this.late.push(letter);
      return this.office.send(this, out);
    }
    const message = openSaid(this.office.team.crypto, key, letter)?.message;
    if (!message) return void this.unsound.push(letter);
    if (!this.engine.listensTo(letter.from, message, tag)) return;
    this.engine.session.told.heardUnder(letter.from, tag);
    if (message.kind === 'deltas') {
      this.#took(this.engine.ingest(letter.from, letter.path, message.runs, this.office.now));
    } else if (message.kind === 'base') {
      this.takeBase(letter, message);
    } else if (message.kind === 'key') this.engine.takeKey(message);
    else this.office.send(this, this.engine.received(letter.from, letter.path, message, tag, this.office.now));
    for (;;) {
      const at = this.locked.findIndex(({ bytes, from }) => this.engine.sealKey(envelopeTag(bytes)!, from));
      if (at < 0) return;
      this.take(this.locked.splice(at, 1)[0]!);
    }
  }

  takeBase({ from, path }: Letter, message: Message & { kind: 'base' }): void {
    const step = this.engine.takeBase(from, path, message);
    if (step.part) this.parts.push(step.part);
    this.faults.push(...step.faults.map(({ tag }) => tag));
    this.office.send(this, step.out);
  }

  /** What is due of itself, as a service does it when it is woken. */
  wake(): void {
    const duties = this.engine.duties(this.office.now);
    if (duties.length > 0) this.#took(this.engine.author(duties, this.office.now));
    this.erased.push(...(this.engine.advance(this.office.now)?.erased ?? []));
    this.office.send(this, this.engine.tick(this.office.now));
  }

  /** Posts that show. */
  texts(): readonly string[] {
    const rows = [...this.engine.replica.fold.rows()].filter(({ table }) => table === POSTS);
    return rows.map(({ row }) => postFromRow(row!).text).sort();
  }
}

/** Hands letters on, direct ones at once, relayed ones when their reader is there. */
export class Office {
  now = NOW + 1_000;
  readonly team: Team;
  readonly desks = new Map<DeviceId, Desk>();
  readonly #away = new Set<DeviceId>();
  readonly #links = new Set<string>();
  readonly #queue: (() => void)[] = [];
  readonly #mail = new Map<DeviceId, Letter[]>();

  constructor(seed: string) {
    this.team = new Team(seed);
  }

  /** A desk with the founder's copy and the first epoch; an empty one knows only who let it in. */
  open(person: Person, sponsor?: Desk): Desk {
    const desk = new Desk(this, person);
    // A copy of its own: what one erases (K4) is not to go from the others.
    desk.engine.keys.add({ ...this.team.epoch, key: this.team.epoch.key.slice() });
    if (sponsor) desk.engine.sponsored([sponsor]);
    else for (const { delta } of this.team.founder.replica.nodes()) desk.engine.restore(delta.bytes);
    desk.engine.opened();
    this.desks.set(person.device, desk);
    return desk;
  }

  link(...desks: readonly Desk[]): void {
    for (const a of desks) for (const b of desks) if (a !== b) this.#links.add(`${a.device} ${b.device}`);
    for (const a of desks)
      for (const b of desks) if (a !== b) this.send(a, a.engine.session.reached(b.device, 'direct', this.now));
    this.pump();
  }

  leave(desk: Desk): void {
    this.#away.add(desk.device);
    for (const other of this.desks.values()) {
      this.#links.delete(`${desk.device} ${other.device}`);
      this.#links.delete(`${other.device} ${desk.device}`);
      if (other !== desk) this.send(other, other.engine.session.reached(desk.device, 'none', this.now));
      if (other !== desk) this.send(desk, desk.engine.session.reached(other.device, 'none', this.now));
    }
    this.pump();
  }

  /** Somebody else sits at a device that was away: what waits for it stays where it is. */
  arrive(desk: Desk): void {
    this.#away.delete(desk.device);
  }

  /** It fetches its queue. */
  comeBack(desk: Desk): void {
    this.#away.delete(desk.device);
    const letters = this.#mail.get(desk.device) ?? [];
    this.#mail.set(desk.device, []);
    for (const letter of letters) this.#queue.push(() => this.#deliver(desk, letter));
    this.pump();
  }

  /** What waits for it has waited too long. */
  expire(desk: Desk): void {
    this.#mail.delete(desk.device);
  }

  send(from: Desk, out: readonly Outgoing[]): void {
    for (const one of out) {
      if (one.keyFirst) for (const to of one.to) this.send(from, from.engine.keyFor(to, one.path, one.keyFirst));
      const bytes = from.engine.seal(one.message, one.under, one.path, one.to[0]);
      assert.ok(bytes, 'what is to be sent can be sealed');
      for (const to of one.to) this.#post(from, to, one, bytes);
      if (one.path === 'relay' && one.holds) this.send(from, from.engine.session.relayed(one.to, one.holds, this.now));
    }
  }

  #post(from: Desk, to: DeviceId, { path, ephemeral }: Outgoing, bytes: Uint8Array): void {
    const desk = this.desks.get(to);
    if (!desk) return;
    const letter = { from: from.device, path, bytes };
    if (path === 'direct' && !this.#links.has(`${from.device} ${to}`)) return;
    if (!this.#away.has(to)) this.#queue.push(() => this.#deliver(desk, letter));
    else if (path === 'relay' && !ephemeral) this.#mail.set(to, [...(this.#mail.get(to) ?? []), letter]);
  }

  #deliver(desk: Desk, letter: Letter): void {
    desk.seen.push(letter);
    desk.take(letter);
  }

  /** Time goes on until nobody has anything to do of himself. */
  rest(): void {
    for (let round = 0; round < 8; round++) {
      this.now += 61_000;
      for (const desk of this.desks.values()) if (!this.#away.has(desk.device)) desk.wake();
      this.pump();
      this.spread();
    }
  }

  /** Acks have waited for each other (L4). */
  spread(): void {
    this.now += ACK_SPREAD_MS;
    for (const desk of this.desks.values())
      if (!this.#away.has(desk.device)) this.send(desk, desk.engine.tick(this.now));
    this.pump();
  }

  pump(): void {
    for (let steps = 0; this.#queue.length > 0; steps++) {
      assert.ok(steps < 10_000, 'the office comes to rest');
      this.#queue.shift()!();
    }
  }
}

export function threePeople(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const office = new Office(seed);
  const [bobby, carla] = [office.team.person('Bob'), office.team.person('Carol')];
  office.team.founder.admit(bobby);
  office.team.founder.admit(carla);
  const [alice, bob, carol] = [office.team.alice, bobby, carla].map((person) => office.open(person));
  return { office, alice: alice!, bob: bob!, carol: carol! };
}
