/** People with devices and replicas, made from a seed: who they are is the same in every run. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { toHex } from '../../src/base/bytes.ts';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate, type Certificate } from '../../src/protocol/certificate.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { controlBody, Role, type SettingScope } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta, type DeltaDraft, type Signer } from '../../src/sync/delta.ts';
import { boxEpoch, epochOf } from '../../src/sync/epoch.ts';
import type { Node } from '../../src/sync/graph.ts';
import { genesisId, Replica, type Entry } from '../../src/sync/replica.ts';
import { chatBody, type ChatDelta } from '../../src/tools/chat/deltas.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import type { ChunkedContent } from '../../src/tools/files/content.ts';
import { filesBody, type FilesDelta } from '../../src/tools/files/deltas.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

export const CHAT = '00000000000000c1' as ToolId;
export const FILES = '00000000000000f1' as ToolId;
export const NOW = Date.UTC(2026, 0, 5);

export class Person {
  readonly name: string;
  readonly signer: Signer;
  readonly certificate: Certificate;
  readonly agreementSecret: Uint8Array;
  readonly accountSeed: Uint8Array;

  /** `other`: the same person at another device. */
  constructor(crypto: Crypto, name: string, other?: Person) {
    this.name = name;
    const seed = crypto.randomBytes(32);
    this.agreementSecret = crypto.randomBytes(32);
    this.accountSeed = other?.accountSeed ?? crypto.randomBytes(32);
    this.certificate = issueCertificate(crypto, this.accountSeed, {
      signingSeed: seed,
      agreementKey: crypto.agreementKeyOf(this.agreementSecret),
      name: `${name}'s laptop`,
      created: NOW,
    });
    this.signer = { device: this.certificate.device, seed };
  }

  get account(): AccountId {
    return this.certificate.account;
  }

  get device(): DeviceId {
    return this.certificate.device;
  }
}

/** One member's copy, and what he does to it. */
export class Copy {
  readonly person: Person;
  readonly replica: Replica;
  readonly team: Team;
  now = NOW;
  /** Whether what a member was told he may do is held against the verdict on it. */
  protected readonly holdsPromises: boolean = true;

  constructor(team: Team, person: Person, replica?: Replica) {
    this.team = team;
    this.person = person;
    const { crypto, workspace } = team;
    const own = feedOf(person.device, 0);
    this.replica = replica ?? new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own });
  }

  write(...entries: readonly Entry[]): readonly Node[] {
    const promised = this.replica.wouldRefuse(this.person.device, entries, this.now + 1) === undefined;
    const nodes = this.replica.author(this.person.signer, entries, ++this.now);
    for (const node of nodes) this.replica.madeDurable(node);
    // D9: what its author was told he may do, he may; nothing else is written that nobody will take.
    if (this.holdsPromises && promised && entries.length === 1)
      assert.equal(this.verdict(nodes.at(-1)!.delta.id), 'accepted');
    return nodes;
  }

  one(entry: Entry): DeltaId {
    return this.write(entry).at(-1)!.delta.id;
  }

  control(kind: string, body: Value): DeltaId {
    return this.one({ tool: undefined, kind, body });
  }

  chat(delta: ChatDelta): DeltaId {
    return this.one({ tool: CHAT, kind: delta.kind, body: chatBody(delta) });
  }

  post(text: string, tool = CHAT): DeltaId {
    return this.one({ tool, kind: 'post', body: chatBody({ kind: 'post', text }) });
  }

  files(delta: FilesDelta): DeltaId {
    return this.one({ tool: FILES, kind: delta.kind, body: filesBody(delta) });
  }

  file(name: string, parent?: DeltaId): DeltaId {
    return this.files({ kind: 'file', parent, name, content: contentOf(name) });
  }

  admit(person: Person, role: Role = Role.participant, invite?: DeltaId): DeltaId {
    const epoch = boxEpoch(this.team.crypto, this.team.epoch, [
      { device: person.device, agreementKey: person.certificate.agreementKey },
    ]);
    return this.control(
      'admit',
      controlBody.admit(person.account, role, person.name, [person.certificate], invite, epoch),
    );
  }

  remove(person: Person): DeltaId {
    return this.control('remove', controlBody.remove(person.account, null));
  }

  setRole(person: Person, role: Role): DeltaId {
    return this.control('setRole', controlBody.setRole(person.account, role));
  }

  setPerm(scope: SettingScope, action: string, role: Role, allow: boolean | undefined): DeltaId {
    return this.control('setPerm', controlBody.setPerm(scope, action, role, allow));
  }

  invite(role: Role = Role.participant, uses = 1): DeltaId {
    const { crypto } = this.team;
    return this.control(
      'invite',
      controlBody.invite(crypto.randomBytes(32), crypto.randomBytes(32), role, NOW + 1e9, uses, false),
    );
  }

  verdict(id: DeltaId): string | undefined {
    return this.replica.verdictOf(id);
  }

  roleOf(person: Person): Role | undefined {
    return this.replica.roster.members.get(person.account)?.role;
  }

  /** Everything of each other's, both ways, as it stands now. */
  meet(...others: readonly Copy[]): void {
    for (const other of others) {
      const mine = this.replica.serving.lacking(other.replica.vector(), Number.MAX_SAFE_INTEGER);
      const theirs = other.replica.serving.lacking(this.replica.vector(), Number.MAX_SAFE_INTEGER);
      assert.deepEqual(other.take(mine), []);
      assert.deepEqual(this.take(theirs), []);
    }
  }

  /** Onto its disk; answers the faults. */
  take(runs: readonly (readonly Node[])[]): readonly string[] {
    return this.hearRuns(...runs.map((run) => run.map(({ delta }) => delta)));
  }

  /** So it is with what is in no copy. */
  hearRuns(...runs: readonly (readonly Delta[])[]): readonly string[] {
    const { added, faults } = this.replica.ingest(runs.map((run) => run.map(({ bytes }) => bytes)));
    for (const node of added) this.replica.madeDurable(node);
    return faults.map((fault) => fault.tag);
  }
}

export class Team {
  readonly crypto: Crypto;
  readonly random: (length: number) => Uint8Array;
  readonly alice: Person;
  readonly workspace: WorkspaceId;
  readonly genesis: Delta;
  readonly epoch: ReturnType<typeof epochOf>;
  /** The founder's copy, with a chat and a files tool. */
  readonly founder: Copy;

  constructor(seed: number | string) {
    this.random = seededRandom(seed);
    this.crypto = nodeCrypto(this.random);
    this.alice = new Person(this.crypto, 'Alice');
    this.epoch = epochOf(this.crypto, this.crypto.randomBytes(32));
    this.genesis = this.signGenesis(this.alice);
    this.workspace = genesisId(this.genesis);
    this.founder = new Copy(this, this.alice);
    this.founder.replica.ingest([[this.genesis.bytes]]);
    this.founder.replica.madeDurable(this.founder.replica.node(this.genesis.id)!);
    this.founder.control('addTool', controlBody.addTool(CHAT, 'chat', 'Chat'));
    this.founder.control('addTool', controlBody.addTool(FILES, 'files', 'Files'));
  }

  signGenesis(founder: Person, generation = 0): Delta {
    const target = { device: founder.device, agreementKey: founder.certificate.agreementKey };
    const boxes = boxEpoch(this.crypto, this.epoch, [target]);
    const body = controlBody.genesis('Apollo', founder.name, [founder.certificate], boxes, this.crypto.randomBytes(16));
    return signDelta(this.crypto, founder.signer, undefined, {
      generation,
      seq: 1,
      prev: undefined,
      deps: [],
      credential: undefined,
      time: NOW,
      tool: undefined,
      kind: 'genesis',
      body,
    });
  }

  person(name: string): Person {
    return new Person(this.crypto, name);
  }

  /** A copy with all that another copy holds. */
  copyOf(person: Person, from: Copy): Copy {
    const copy = new Copy(this, person);
    copy.meet(from);
    return copy;
  }

  /** Somebody new, admitted by a copy, and his own copy. */
  join(name: string, by: Copy = this.founder, role: Role = Role.participant): Copy {
    const person = this.person(name);
    by.admit(person, role);
    return this.copyOf(person, by);
  }

  /** A delta by hand, as a modified client would make it. */
  forge(person: Person, draft: Partial<DeltaDraft> & Pick<DeltaDraft, 'seq'>, workspace = this.workspace): Delta {
    return signDelta(this.crypto, person.signer, workspace, {
      generation: 0,
      prev: undefined,
      deps: [],
      credential: undefined,
      time: NOW,
      tool: CHAT,
      kind: 'post',
      body: ['forged'],
      ...draft,
    });
  }
}

export function contentOf(text: string): ChunkedContent {
  const sha256 = new Uint8Array(32).fill(text.length % 251);
  return { kind: 'chunks', bytes: 0, sha256, chunks: [], indirect: false };
}

/** All that replicas with the same deltas must agree on. */
export function stateOf(replica: Replica): { rows: unknown; verdicts: unknown; roster: unknown } {
  const { name, members, tools, invites, epochs } = replica.roster;
  const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const people = sorted(members).map(([account, { name: memberName, role, credential, devices }]) => [
    account,
    memberName,
    role,
    credential,
    devices.map(({ certificate, relay }) => [certificate.device, relay]).sort(),
  ]);
  return {
    rows: [...replica.fold.rows()]
      .map(({ tool, table, key, row }) => [tool, table, key, shortened(JSON.stringify(row, hexOfBytes))])
      .sort((a, b) => (a.join() < b.join() ? -1 : 1)),
    verdicts: [...replica.nodes()]
      .map(({ delta }) => [delta.id, delta.kind, replica.verdictOf(delta.id)])
      .sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    roster: {
      name,
      people,
      tools: sorted(tools),
      invites: sorted(invites).map(([id, i]) => [id, i.usesLeft, i.revoked]),
      epochs: epochs.length,
    },
  };
}

/** A difference between two states is printed: long rows stand for themselves. */
function shortened(text: string): string {
  return text.length < 400 ? text : createHash('sha256').update(text).digest('hex');
}

function hexOfBytes(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}
