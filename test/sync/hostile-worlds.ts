/**
 * Worlds of people who try whatever there is to try, made from a seed: up to twelve devices a person, deltas that leave out of
 * their past what their author has long seen, removals at the same time, roles granted to oneself and to others, credentials that
 * are somebody else's, admission again after each. Plans that fit (`pickCredential`) are frequent enough that much is accepted.
 */
import { DEVICES, PERMS, TOOLS, readWorld, type Op } from '../../scripts/authority/world.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';

const NAMES = ['Alice', 'Bob', 'Carol', 'Dave', 'Eve', 'Frank', 'Grace'];
/** More heads than this are merged by acks (D5), which are no operations and make what follows one higher. */
const MAX_FEEDS = 32;
/** Kinds by how often they are tried. */
const TRIES: readonly Op['type'][] = [
  ...(['admit', 'admit', 'admit', 'setRole', 'setRole', 'setRole', 'remove', 'remove', 'remove'] as const),
  ...(['leave', 'setPerm', 'setPerm', 'setPerm', 'data', 'data', 'data', 'data'] as const),
];

export interface PlainOp extends Omit<Op, 'past' | 'cred' | 'tool'> {
  readonly cred?: string;
  readonly tool?: number;
  readonly past: readonly string[];
}

export function hostileWorld(seed: string): readonly PlainOp[] {
  return new Writer(seed).write();
}

export function asWorld(ops: readonly PlainOp[]): readonly Op[] {
  return readWorld(JSON.stringify({ ops }));
}

class Writer {
  readonly #below: (bound: number) => number;
  /** Of tools: a stream of its own, so that the worlds are else what they were before there were two. */
  readonly #belowOfTools: (bound: number) => number;
  readonly #ops: PlainOp[] = [];
  readonly #last = new Map<string, PlainOp>();
  readonly #people: readonly string[];
  readonly #devices: number;

  constructor(seed: string) {
    const random = seededRandom(`hostile ${seed}`);
    this.#below = (bound) => seededBelow(random, bound);
    const ofTools = seededRandom(`tools ${seed}`);
    this.#belowOfTools = (bound) => seededBelow(ofTools, bound);
    this.#people = NAMES.slice(0, 3 + this.#below(NAMES.length - 2));
    this.#devices = this.#below(3) === 0 ? DEVICES : 1 + this.#below(3);
  }

  write(): readonly PlainOp[] {
    const founder = this.#people[0]!;
    this.#add({ author: founder, device: 0, type: 'genesis', past: [] });
    for (const target of this.#people.slice(1, 2 + this.#below(3))) {
      const role = this.#pick([0, 0, 1, 1, 2]);
      this.#add({ author: founder, device: 0, type: 'admit', target, role, cred: '0', past: this.#everything() });
    }
    for (let left = 6 + this.#below(40); left > 0; left--) this.#try();
    return this.#ops;
  }

  #add(op: Partial<PlainOp> & Pick<PlainOp, 'author' | 'device' | 'type' | 'past'>): void {
    const full = { id: String(this.#ops.length), target: '', role: 0, perm: 'edit' as const, allow: true, ...op };
    this.#ops.push(full);
    this.#last.set(`${full.author} ${full.device}`, full);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #everything(): readonly string[] {
    return this.#ops.map(({ id }) => id);
  }

  /** One of his devices; a new one only while there are few feeds. */
  #deviceOf(author: string): number | undefined {
    const device = this.#below(this.#devices);
    return this.#last.size < MAX_FEEDS || this.#last.has(`${author} ${device}`) ? device : undefined;
  }

  #try(): void {
    const author = this.#pick(this.#people);
    const device = this.#deviceOf(author);
    if (device === undefined) return;
    const grants = this.#ops.filter((op) => isGrantTo(op, author));
    const named = this.#pick(grants.length > 0 ? grants : this.#ops);
    const past = this.#pastOf(author, device, named);
    const cred = this.#pickCredential(author, past, named);
    const type = this.#pick(TRIES);
    this.#add({
      ...{ author, device, type, past: [...past] },
      ...(cred === undefined ? {} : { cred }),
      target: type === 'admit' || type === 'setRole' || type === 'remove' ? this.#targetOf(type, past) : '',
      role: type === 'setPerm' ? this.#pick([1, 1, 1, 2, 2, 0]) : this.#pick([0, 0, 1, 1, 1, 2]),
      perm: this.#pick(PERMS),
      allow: this.#below(2) === 0,
      ...this.#ofTool(type),
    });
  }

  /** Where a post is; what a permission is of, and now and then that there is none of its own. */
  #ofTool(type: Op['type']): Pick<Partial<PlainOp>, 'tool' | 'allow'> {
    const [tool, way] = [this.#belowOfTools(TOOLS), this.#belowOfTools(6)];
    if (type === 'data') return { tool };
    if (type !== 'setPerm') return {};
    return { ...(way < 4 ? { tool } : {}), ...(way % 3 === 0 ? { allow: null } : {}) };
  }

  /** Closed, with the device's own last in it: all there is, some of it, or as little as he can say he knew. */
  #pastOf(author: string, device: number, named: PlainOp): ReadonlySet<string> {
    const last = this.#last.get(`${author} ${device}`);
    const seen: PlainOp[] = [this.#ops[0]!, ...(last ? [last] : [])];
    const way = this.#below(10);
    if (way < 4) return new Set(this.#everything());
    if (way < 9) seen.push(named);
    if (way < 7) for (let more = 1 + this.#below(4); more > 0; more--) seen.push(this.#pick(this.#ops));
    return new Set(seen.flatMap(({ id, past }) => [id, ...past]));
  }

  #pickCredential(author: string, past: ReadonlySet<string>, named: PlainOp): string | undefined {
    const way = this.#below(20);
    if (way === 0) return undefined;
    if (way === 1) return this.#pick(this.#ops).id;
    if (way < 5) return named.id;
    const known = this.#ops.filter((op) => past.has(op.id) && isGrantTo(op, author));
    const removed = this.#ops.findLastIndex(
      ({ id, type, target }) => past.has(id) && type === 'remove' && target === author,
    );
    const since = known.filter((op) => way < 14 && Number(op.id) > removed);
    const best = (since.length > 0 ? since : known).toSorted(
      (a, b) => roleOf(a) - roleOf(b) || Number(a.id) - Number(b.id),
    );
    return (way < 17 ? best[0] : best.at(-1))?.id;
  }

  /** Who was removed or has left is who is admitted again. */
  #targetOf(type: Op['type'], past: ReadonlySet<string>): string {
    const gone = this.#ops.filter(({ id, type: was }) => past.has(id) && (was === 'remove' || was === 'leave'));
    if (type !== 'admit' || gone.length === 0 || this.#below(2) === 0) return this.#pick(this.#people);
    const { type: was, author, target } = this.#pick(gone);
    return was === 'leave' ? author : target;
  }
}

function isGrantTo(op: PlainOp, account: string): boolean {
  return op.type === 'genesis' ? op.author === account : isGrantType(op) && op.target === account;
}

function isGrantType({ type }: PlainOp): boolean {
  return type === 'admit' || type === 'setRole';
}

function roleOf(op: PlainOp): number {
  return op.type === 'genesis' ? 0 : op.role;
}

/** The smallest world that still fails: operation by operation left out, as long as it does. */
export function shrunk(world: readonly PlainOp[], fails: (ops: readonly PlainOp[]) => boolean): readonly PlainOp[] {
  let smallest = world;
  for (let at = world.length - 1; at > 0; at--) {
    const gone = smallest[at]?.id;
    const rest = smallest
      .filter(({ id }) => id !== gone)
      .map((op) => ({ ...op, past: op.past.filter((id) => id !== gone) }));
    if (gone !== undefined && fails(rest)) smallest = rest;
  }
  return smallest;
}
