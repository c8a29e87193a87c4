/**
 * What judging costs (A6): a workspace of 50 members and 150 devices with a past of 3,000 control deltas, in which people came, went,
 * came back, and roles and permissions changed. Measured is what one more restriction upon all of them costs, which is one whole pass. The
 * floor is the least that any pass over them does: sorting them by A6 and asking of each whether its credential is in its past. As a raw
 * figure: the first pass, with all bodies read and all certificates checked.
 *
 * And what a new key costs (K1, K2): the removal of one member, with an epoch boxed to the 147 devices of the others, signed. Its
 * floor is the agreements (X25519) that the boxes need.
 */
import { randomBytes } from 'node:crypto';
import { fromBase64Url } from '../src/base/bytes.ts';
import type { DeltaId, DeviceId } from '../src/base/ids.ts';
import type { Crypto } from '../src/crypto/crypto.ts';
import { nodeCrypto } from '../src/crypto/node/crypto.ts';
import { issueCertificate, type Certificate } from '../src/protocol/certificate.ts';
import type { Value } from '../src/protocol/codec.ts';
import { Authority } from '../src/sync/authority.ts';
import { controlBody, Role } from '../src/sync/control.ts';
import { readDelta, type Delta } from '../src/sync/delta.ts';
import { boxEpoch, epochOf } from '../src/sync/epoch.ts';
import { compareNodes, Graph, inPast, type Node } from '../src/sync/graph.ts';
import type { Benchmark } from './lib/benchmark.ts';
import { percentile, rounded, summary } from './lib/figures.ts';
import { Writer, type Entry } from './lib/history.ts';

const CONTROLS = 3_000;
const MEMBERS = 50;
const MANAGERS = 5;
const DEVICES_EACH = 3;
const PASSES = 7;
const REKEYS = 25;

const crypto = nodeCrypto();

export const authority: Benchmark = async (say) => {
  say(`signing ${CONTROLS} control deltas of ${MEMBERS} members with ${MEMBERS * DEVICES_EACH} devices ...`);
  const past = new Past();
  past.writeTo(CONTROLS);
  const { graph, nodes } = past;
  const first: number[] = [];
  const passes: number[] = [];
  const floors: number[] = [];
  const last = nodes.findLastIndex(({ delta }) => delta.kind === 'setRole' || delta.kind === 'remove');
  for (let n = 0; n < PASSES; n++) {
    const judge = new Authority(crypto, graph);
    first.push(timed(() => judge.addAll(nodes.slice(0, last))));
    passes.push(timed(() => judge.addAll([nodes[last]!])));
    if (judge.accepted.length < last + 1) throw new Error(`of ${last + 1} only ${judge.accepted.length} stand`);
    floors.push(timed(() => leastPass(nodes)));
  }
  say('re-keying ...');
  const rekeys: number[] = [];
  const agreements: number[] = [];
  let bytes = 0;
  for (let n = 0; n < REKEYS; n++) {
    rekeys.push(timed(() => (bytes = past.rekey().bytes.length)));
    agreements.push(timed(() => past.agreements()));
  }
  const figures = {
    eval_ms: rounded(percentile(passes, 50), 1),
    rekey_ms: rounded(percentile(rekeys, 50), 1),
    rekey_bytes: bytes,
  };
  const raw = {
    what: `a pass of A6 over ${CONTROLS} control deltas, and a new epoch for ${(MEMBERS - 1) * DEVICES_EACH} devices`,
    notes: [
      'time is processor time of the thread: what judging costs, whoever else is at work',
      `medians of ${PASSES} passes and ${REKEYS} new epochs`,
      'eval_floor_ms: sorting them, and one look at the past of each; rekey_floor_ms: the X25519 agreements alone',
      'first_ms: with bodies read and two signatures of every certificate checked',
    ],
    kinds: past.kinds(),
    eval_ms: summary(passes),
    eval_floor_ms: summary(floors),
    first_ms: summary(first),
    rekey_ms: summary(rekeys),
    rekey_floor_ms: summary(agreements),
  };
  return { figures, raw };
};

/** Of this thread: nothing waits here, so on a machine that has nothing else to do it is the time by the clock. */
function timed(work: () => unknown): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

function leastPass(nodes: readonly Node[]): number {
  const byId = new Map(nodes.map((node) => [node.delta.id, node]));
  const sorted = nodes.toSorted(compareNodes);
  return sorted.filter((node) => {
    const cited = byId.get(node.delta.credential ?? ('' as DeltaId));
    return cited !== undefined && inPast(cited, node);
  }).length;
}

interface Person {
  readonly writer: Writer;
  readonly certificates: readonly Certificate[];
  role: Role;
  in: boolean;
}

/** Five managers who change something in turns, each having heard of what was before, two at a time. */
class Past {
  readonly graph = new Graph();
  readonly nodes: Node[] = [];
  readonly #people: readonly Person[];
  readonly #epoch = epochOf(crypto, randomBytes(32));
  #heads: readonly DeltaId[] = [];
  readonly #last = new Map<Writer, DeltaId>();
  #workspace: Delta['id'] | undefined;
  #time = Date.UTC(2026, 0, 5);

  constructor() {
    this.#people = Array.from({ length: MEMBERS }, (_, n) => personOf(`Member ${n + 1}`, n < MANAGERS));
  }

  kinds(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { delta } of this.nodes) counts[delta.kind] = (counts[delta.kind] ?? 0) + 1;
    return counts;
  }

  writeTo(size: number): void {
    const founder = this.#people[0]!;
    const salt = randomBytes(16);
    const birth = controlBody.genesis('Bench', founder.writer.name, founder.certificates, this.#notice([]), salt);
    this.#workspace = this.#say(founder, 'genesis', birth);
    founder.writer.credential = this.#workspace;
    founder.in = true;
    for (const person of this.#people.slice(1)) this.#admit(founder, person);
    for (let turn = 0; this.nodes.length < size; turn++) {
      // Two who have not heard of each other; what they do has no other target than what it had before.
      const heads = this.#heads;
      const said: DeltaId[] = [];
      for (const n of [turn % MANAGERS, (turn + 1) % MANAGERS].slice(0, size - this.nodes.length)) {
        this.#heads = heads;
        const person = this.#people[MANAGERS + ((2 * turn + said.length) % (MEMBERS - MANAGERS))]!;
        this.#change(this.#people[n]!, person, turn);
        said.push(this.#heads[0]!);
      }
      this.#heads = said;
    }
  }

  /** The rounds differ, so that everybody meets everything. */
  #change(by: Person, person: Person, turn: number): void {
    if (!person.in) return this.#admit(by, person);
    switch ((turn + Math.floor(turn / 45)) % 6) {
      case 0:
        person.in = false;
        this.#say(by, 'remove', controlBody.remove(person.writer.certificate.account, this.#notice([])));
        return;
      case 1:
      case 2: {
        const { account } = person.writer.certificate;
        person.role = person.role === Role.guest ? Role.participant : Role.guest;
        this.#say(by, 'setRole', controlBody.setRole(account, person.role));
        return;
      }
      case 3: {
        const [action, role] = [turn % 2 === 0 ? 'add' : 'editOwn', turn % 4 < 2 ? Role.participant : Role.guest];
        this.#say(by, 'setPerm', controlBody.setPerm('chat', action, role, turn % 8 < 4));
        return;
      }
      case 4:
        this.#say(
          by,
          'invite',
          controlBody.invite(randomBytes(32), randomBytes(32), Role.guest, this.#time + 1e9, 1, true),
        );
        return;
      default:
        this.#say(by, 'profile', controlBody.profile(`${by.writer.name} ${turn}`, ''));
    }
  }

  #admit(by: Person, person: Person): void {
    const { name } = person.writer;
    const { account } = person.writer.certificate;
    const notice = this.#notice([person]);
    const body = controlBody.admit(account, person.role, name, person.certificates, undefined, notice);
    person.writer.credential = this.#say(by, 'admit', body);
    person.in = true;
  }

  #say(by: Person, kind: string, body: Value): DeltaId {
    const deps = this.#heads.filter((head) => head !== this.#last.get(by.writer));
    const entry: Entry = { tool: undefined, kind, body };
    const workspace = this.#workspace as Parameters<Writer['write']>[0];
    const delta = by.writer.write(workspace, deps, entry, (this.#time += 1_000));
    const read = readDelta(crypto, workspace, delta.bytes);
    if (!read.ok) throw new Error('what was signed can be read');
    const outcome = this.graph.insert(read.value);
    if (outcome.outcome !== 'added') throw new Error(`a delta is added, not ${outcome.outcome}`);
    this.nodes.push(outcome.node);
    this.#heads = [delta.id];
    this.#last.set(by.writer, delta.id);
    return delta.id;
  }

  #targets(people: readonly Person[]): readonly { readonly device: DeviceId; readonly agreementKey: Uint8Array }[] {
    return people.flatMap(({ certificates }) => certificates);
  }

  #notice(people: readonly Person[]): Value {
    return boxEpoch(crypto, this.#epoch, this.#targets(people));
  }

  /** A removal as it is sent, which nobody takes in here. */
  rekey(): Delta {
    const [founder, ...others] = this.#people as [Person, ...Person[]];
    const gone = others.pop()!;
    const epoch = epochOf(crypto, randomBytes(32));
    const notice = boxEpoch(crypto, epoch, this.#targets([founder, ...others]));
    const body = controlBody.remove(gone.writer.certificate.account, notice);
    const workspace = this.#workspace as Parameters<Writer['write']>[0];
    return founder.writer.write(workspace, this.#heads, { tool: undefined, kind: 'remove', body }, this.#time);
  }

  agreements(): void {
    const agree = crypto.agreeing(randomBytes(32));
    for (const { agreementKey } of this.#targets(this.#people.slice(0, -1))) agree(agreementKey);
  }
}

/** One writes by his first device. */
function personOf(name: string, isManager: boolean): Person {
  const writer = new Writer(name);
  const further = Array.from({ length: DEVICES_EACH - 1 }, () => furtherDevice(crypto, writer));
  const role = isManager ? Role.manager : Role.participant;
  return { writer, certificates: [writer.certificate, ...further], role, in: false };
}

function furtherDevice(maker: Crypto, { secrets, certificate }: Writer): Certificate {
  return issueCertificate(maker, fromBase64Url(secrets.accountSeed)!, {
    signingSeed: randomBytes(32),
    agreementKey: maker.agreementKeyOf(randomBytes(32)),
    name: '',
    created: certificate.created,
  });
}
