/**
 * A world on the production engine: every operation becomes a real signed delta of its author's device, and a replica that is
 * given them says what stands. Keys are made from names, so the same world has the same delta ids every time.
 *
 * `edit` is the right to add to a chat, which participants have by default and guests have not; `data` is a post. There are two chats
 * where a world says something of the second.
 *
 * Nobody takes a feed in whose past nothing names its device (I4). So that an operation of somebody whom nobody has admitted can be
 * judged all the same, the stage is set with a word that names the devices of each of them, and is void: it cites no credential. What a world
 * writes comes after all of that, so that the heights of its operations are to each other what its pasts say.
 */
import type { DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate, type Certificate } from '../../src/protocol/certificate.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { MAX_DEPS } from '../../src/protocol/limits.ts';
import { controlBody, type Role } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta, type DeltaDraft, type Signer } from '../../src/sync/delta.ts';
import { boxEpoch, epochOf } from '../../src/sync/epoch.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { DEVICES, ROLES, type Op } from './world.ts';

/** By the number that a world gives them. */
export const CHATS: readonly ToolId[] = ['00000000000000c1' as ToolId, '00000000000000c2' as ToolId];
/** The founder's further device, which sets the stage: no operation is its. */
const STAGE_HAND = DEVICES;
const TIME = Date.UTC(2026, 0, 1);

export interface Verdicts {
  readonly accepted: readonly string[];
  readonly members: Readonly<Record<string, string>>;
  readonly order: readonly string[];
}

interface Feed {
  readonly signer: Signer;
  seq: number;
  last: DeltaId | undefined;
}

interface Staged {
  readonly delta: DeltaId;
  readonly op: Op;
}

/** Keys are made from names, and what must be random elsewhere need not be here. */
const REAL = nodeCrypto((length) => new Uint8Array(length).fill(7));
/** Of everybody who has been on a stage, by whose cryptography made them: they cost more than a world. */
const KNOWN = new WeakMap<Crypto, Map<string, readonly Certificate[]>>();

export class Stage {
  readonly #crypto: Crypto;
  readonly #feeds = new Map<string, Feed>();
  readonly #certificates: Map<string, readonly Certificate[]>;
  readonly #staged = new Map<string, Staged>();
  readonly #runs: Uint8Array[][] = [];
  #workspace: WorkspaceId | undefined;
  /** The last delta of those that set the stage. */
  #stageEnd: DeltaId | undefined;

  constructor(crypto: Crypto = REAL) {
    this.#crypto = crypto;
    this.#certificates = KNOWN.get(crypto) ?? new Map<string, readonly Certificate[]>();
    KNOWN.set(crypto, this.#certificates);
  }

  /** Signs a world's operations, which come each after its past, and lets a replica judge them. */
  play(ops: readonly Op[]): Verdicts {
    const strangers = strangersOf(ops);
    const chats = CHATS.slice(0, 1 + Math.max(0, ...ops.map(({ tool }) => tool ?? 0)));
    for (const op of ops) {
      this.#sign(op);
      if (op.type === 'genesis') this.#set(op.author, chats, strangers);
    }
    return this.verdicts(ops, this.replicaOf([this.#runs]));
  }

  /** What has been signed: a run of one delta each, in an order in which each comes after its past. */
  get runs(): readonly (readonly Uint8Array[])[] {
    return this.#runs;
  }

  /** An observer's replica that is given these batches, one after the other. */
  replicaOf(batches: readonly (readonly (readonly Uint8Array[])[])[]): Replica {
    const own = feedOf('00'.repeat(32) as DeviceId, 0);
    const replica = new Replica({ crypto: this.#crypto, workspace: this.#workspace!, reducers: [chatReducer], own });
    for (const batch of batches) this.#give(replica, batch);
    // What is beyond a word that takes its author out is taken when something names it, or when that word turns out to be void.
    for (let before = -1; before !== replica.size;) {
      before = replica.size;
      this.#give(replica, batches.flat());
    }
    if (replica.missing().length > 0) throw new Error('a part of the world is missing');
    return replica;
  }

  #give(replica: Replica, batch: readonly (readonly Uint8Array[])[]): void {
    const { faults } = replica.ingest(batch);
    if (faults.length > 0) throw new Error(`the replica refused what was signed: ${JSON.stringify(faults)}`);
  }

  /** What a replica that holds all of a world that was played makes of it. */
  verdicts(ops: readonly Op[], replica: Replica): Verdicts {
    const idOf = (op: Op) => this.#staged.get(op.id)!.delta;
    const members = [...replica.roster.members.values()].map(({ name, role }) => [name, ROLES[role]] as const);
    return {
      accepted: ops.filter((op) => replica.verdictOf(idOf(op)) === 'accepted').map(({ id }) => id),
      members: Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))),
      order: ops.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)).map(({ id }) => id),
    };
  }

  #sign(op: Op): void {
    const feed = this.#feed(op.author, op.device);
    const credential = op.cred === undefined ? undefined : this.#staged.get(op.cred)?.delta;
    const heads = this.#headsOf(op);
    // D5: more than 32 are merged by acks first.
    while (heads.length > MAX_DEPS)
      this.#append(feed, { deps: heads.splice(0, MAX_DEPS), credential, tool: undefined, kind: 'ack', body: [] });
    const { tool, kind, body } = this.#contentOf(op);
    const delta = this.#append(feed, { deps: heads, credential, tool, kind, body });
    this.#staged.set(op.id, { delta: delta.id, op });
    if (op.type === 'genesis') this.#workspace = delta.id as string as WorkspaceId;
  }

  /** What comes after the genesis and before everything else: the chats, and how strangers' feeds can be at all. */
  #set(founder: string, chats: readonly ToolId[], strangers: ReadonlySet<string>): void {
    const hand = this.#feed(founder, STAGE_HAND);
    const genesis = this.#workspace as string as DeltaId;
    for (const chat of chats) {
      const add = { tool: undefined, kind: 'addTool', body: controlBody.addTool(chat, 'chat', 'Chat') };
      const deps = this.#stageEnd === undefined ? [genesis] : [];
      this.#stageEnd = this.#append(hand, { deps, credential: genesis, ...add }).id;
    }
    for (const name of strangers) {
      const certificates = this.#certificatesOf(name);
      const body = controlBody.addDevice(certificates[0]!.account, certificates, this.#notice());
      const added = { credential: undefined, tool: undefined, kind: 'addDevice', body };
      this.#stageEnd = this.#append(hand, { deps: [], ...added }).id;
    }
  }

  /** The maximal ones of an operation's past that are neither of its device nor before its device's last. */
  #headsOf(op: Op): DeltaId[] {
    const past = [...op.past].map((id) => this.#staged.get(id)!.op);
    const last = past.filter((one) => isOfFeed(one, op)).sort((a, b) => b.past.size - a.past.size)[0];
    const fresh = past.filter((one) => one !== last && !last?.past.has(one.id));
    const covered = new Set(fresh.flatMap((one) => [...one.past]));
    const heads = fresh.filter(({ id, type }) => !covered.has(id) && type !== 'genesis');
    if (heads.length > 0) return heads.map(({ id }) => this.#staged.get(id)!.delta);
    return this.#stageEnd === undefined || (last && last.type !== 'genesis') ? [] : [this.#stageEnd];
  }

  #append(feed: Feed, draft: Pick<DeltaDraft, 'deps' | 'credential' | 'tool' | 'kind' | 'body'>): Delta {
    const seq = ++feed.seq;
    const full = { ...draft, generation: 0, seq, prev: feed.last, time: TIME };
    const delta = signDelta(this.#crypto, feed.signer, this.#workspace, full);
    feed.last = delta.id;
    this.#runs.push([delta.bytes]);
    return delta;
  }

  #contentOf(op: Op): { readonly tool: ToolId | undefined; readonly kind: string; readonly body: Value } {
    const control = (kind: string, body: Value) => ({ tool: undefined, kind, body });
    const account = op.target === '' ? undefined : this.#certificatesOf(op.target)[0]!.account;
    const role = op.role as Role;
    switch (op.type) {
      case 'genesis': {
        const salt = new Uint8Array(16);
        const founders = [...this.#certificatesOf(op.author), this.#certificateOf(op.author, STAGE_HAND)];
        return control('genesis', controlBody.genesis('World', op.author, founders, this.#notice(), salt));
      }
      case 'admit': {
        const certificates = this.#certificatesOf(op.target);
        return control('admit', controlBody.admit(account!, role, op.target, certificates, undefined, this.#notice()));
      }
      case 'setRole':
        return control('setRole', controlBody.setRole(account!, role));
      case 'remove':
        return control('remove', controlBody.remove(account!, null));
      case 'leave':
        return control('leave', controlBody.leave());
      case 'setPerm': {
        const [scope, action] = op.perm === 'edit' ? ['chat', 'add'] : ['workspace', op.perm];
        const of = op.tool === undefined ? scope : { tool: CHATS[op.tool]! };
        return control('setPerm', controlBody.setPerm(of, action, role, op.allow ?? undefined));
      }
      case 'data':
        return { tool: CHATS[op.tool!], kind: 'post', body: chatBody({ kind: 'post', text: op.id }) };
    }
  }

  /** Keys are not what is looked at here: an epoch that is boxed to nobody. */
  #notice(): Value {
    return boxEpoch(this.#crypto, epochOf(this.#crypto, this.#keyFor('epoch')), []);
  }

  #feed(author: string, device: number): Feed {
    const name = `${device} ${author}`;
    const known = this.#feeds.get(name);
    if (known) return known;
    const seed = this.#keyFor(`sign ${name}`);
    const feed: Feed = {
      signer: { device: this.#certificateOf(author, device).device, seed },
      seq: 0,
      last: undefined,
    };
    this.#feeds.set(name, feed);
    return feed;
  }

  #certificatesOf(author: string): readonly Certificate[] {
    const known = this.#certificates.get(author);
    if (known) return known;
    const devices = Array.from({ length: DEVICES }, (_, device) => this.#certificateOf(author, device));
    this.#certificates.set(author, devices);
    return devices;
  }

  #certificateOf(author: string, device: number): Certificate {
    const known = this.#certificates.get(author)?.[device];
    if (known) return known;
    const name = `${device} ${author}`;
    return issueCertificate(this.#crypto, this.#keyFor(`account ${author}`), {
      signingSeed: this.#keyFor(`sign ${name}`),
      agreementKey: this.#crypto.agreementKeyOf(this.#keyFor(`agree ${name}`)),
      name: '',
      created: TIME,
    });
  }

  #keyFor(name: string): Uint8Array {
    return this.#crypto.sha256(Buffer.from(`authority ${name}`, 'utf8'));
  }
}

function isOfFeed(one: Op, other: Op): boolean {
  return one.author === other.author && one.device === other.device;
}

/** Who writes something without an admission of him in its past. */
function strangersOf(ops: readonly Op[]): ReadonlySet<string> {
  const byId = new Map(ops.map((op) => [op.id, op]));
  const names = (op: Op, author: string) =>
    op.type === 'genesis' ? op.author === author : op.type === 'admit' && op.target === author;
  const isLetIn = ({ type, author, past }: Op) =>
    type === 'genesis' || [...past].some((id) => names(byId.get(id)!, author));
  return new Set(ops.filter((op) => !isLetIn(op)).map(({ author }) => author));
}
