/**
 * The engine against the model of A1 to A7 and A10, through the door of `npm run authority`, and against itself in other orders of
 * arrival. `COTERIE_AUTHORITY_WORLDS=20000 npm run unit -- test/sync/authority-worlds.test.ts` looks at as many worlds as one
 * likes; COTERIE_AUTHORITY_FROM says from which on. What differs is printed shrunk, as a world for `npm run authority`.
 */
import assert from 'node:assert/strict';
import { CHATS, Stage } from '../../scripts/authority/stage.ts';
import type { Op } from '../../scripts/authority/world.ts';
import type { Role } from '../../src/sync/control.ts';
import { fastCrypto } from '../fakes/fast-crypto.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { modelVerdicts } from './authority-model.ts';
import { asWorld, hostileWorld, shrunk, type PlainOp } from './hostile-worlds.ts';
import { stateOf } from './team.ts';

const WORLDS = Number(process.env['COTERIE_AUTHORITY_WORLDS'] ?? 200);
const FROM = Number(process.env['COTERIE_AUTHORITY_FROM'] ?? 1);
/** Of all worlds: with the cryptography that ships, which says nothing else and takes ten times as long. */
const REAL_WORLDS = 4;
const ORDERS = 1;

/** Verdicts rest on ids and certificates, not on what a signature costs. */
const fast = fastCrypto((length) => new Uint8Array(length).fill(7));

/** What engine and model say, where it is not the same. */
function difference(plain: readonly PlainOp[], stage: Stage): string | undefined {
  const world = asWorld(plain);
  const { accepted, members, order } = stage.play(world);
  const said = JSON.stringify({ accepted, members });
  const modelled = JSON.stringify(modelVerdicts(world, new Map(order.map((id, place) => [id, place]))));
  return said === modelled ? undefined : `engine ${said}\nmodel  ${modelled}`;
}

function mustAgree(world: readonly PlainOp[], stage: () => Stage): void {
  if (difference(world, stage()) === undefined) return;
  const smallest = shrunk(world, (ops) => difference(ops, stage()) !== undefined);
  assert.fail(`${JSON.stringify({ ops: smallest })}\n${difference(smallest, stage())}`);
}

/** The same deltas, each after its past, in an order and in batches that are drawn. */
function otherOrder(world: readonly Op[], stage: Stage, seed: string): readonly (readonly (readonly Uint8Array[])[])[] {
  const random = seededRandom(seed);
  const rest = [...stage.runs];
  const batches: (readonly Uint8Array[])[][] = [];
  const largest = 1 + seededBelow(random, 2 * world.length);
  while (rest.length > 0) {
    const batch: (readonly Uint8Array[])[] = [];
    for (let left = 1 + seededBelow(random, largest); left > 0 && rest.length > 0; left--)
      batch.push(...rest.splice(seededBelow(random, rest.length), 1));
    batches.push(batch);
  }
  return batches;
}

describe('A1 A2 A3 A4 A5 A6 A7 A10 the engine and the model of the rules', function () {
  this.timeout(Math.max(60_000, WORLDS * 1_000));
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

  it(`A6 A10 the same verdicts and members in ${WORLDS} hostile worlds`, () => {
    for (let seed = FROM; seed < FROM + WORLDS; seed++) {
      const plain = hostileWorld(String(seed));
      mustAgree(plain, () => new Stage(fast));
      const { accepted } = new Stage(fast).play(asWorld(plain));
      const stands = new Set(accepted);
      for (const { id, type, perm, tool } of plain) {
        count(`${type} ${stands.has(id) ? 'accepted' : 'void'}`);
        if (type === 'setPerm' && perm === 'edit' && tool !== undefined && stands.has(id)) count('of one tool');
      }
    }
    if (process.env['COTERIE_AUTHORITY_WORLDS'] !== undefined) console.log(Object.fromEntries([...seen].sort()));
  });

  it('the worlds were not empty: every kind stood and fell, and of one tool was something said', () => {
    assert.ok((seen.get('of one tool') ?? 0) > WORLDS / 10);
    for (const kind of ['admit', 'setRole', 'remove', 'leave', 'setPerm', 'data'])
      for (const verdict of ['accepted', 'void'])
        assert.ok(
          (seen.get(`${kind} ${verdict}`) ?? 0) > WORLDS / 10,
          `${kind} ${verdict}: ${seen.get(`${kind} ${verdict}`)}`,
        );
  });

  it('A6 the same with the cryptography that ships', () => {
    for (let seed = FROM; seed < FROM + REAL_WORLDS; seed++) mustAgree(hostileWorld(`real ${seed}`), () => new Stage());
  });

  it('A5 nobody does what he may not in the end, unless somebody who has set it had seen it done', () => {
    let held = 0;
    for (let seed = FROM; seed < FROM + WORLDS; seed++) {
      const world = asWorld(hostileWorld(String(seed)));
      const stage = new Stage(fast);
      const stands = new Set(stage.play(world).accepted);
      const replica = stage.replicaOf([stage.runs]);
      const set = world.filter(({ id, type, perm }) => type === 'setPerm' && perm === 'edit' && stands.has(id));
      for (const op of world.filter(({ type }) => type === 'data')) {
        const given = world.find(({ id }) => id === op.cred);
        if (given?.type !== 'admit' && given?.type !== 'setRole') continue;
        if (replica.people.allowance('chat', 'add', given.role as Role, CHATS[op.tool!]).allowed) continue;
        if (set.some(({ role, past }) => role === given.role && past.has(op.id))) continue;
        assert.ok(!stands.has(op.id), `world ${seed}: ${op.id}`);
        held++;
      }
    }
    assert.ok(held > WORLDS / 10, String(held));
  });

  it(`A6 L5 whatever the order and the batches: verdicts, members and rows in ${WORLDS} hostile worlds`, () => {
    for (let seed = FROM; seed < FROM + WORLDS; seed++) {
      const world = asWorld(hostileWorld(String(seed)));
      const stage = new Stage(fast);
      const verdicts = stage.play(world);
      const state = stateOf(stage.replicaOf([stage.runs]));
      for (let order = 0; order < ORDERS; order++) {
        const replica = stage.replicaOf(otherOrder(world, stage, `order ${seed} ${order}`));
        assert.deepEqual(stage.verdicts(world, replica), verdicts, `world ${seed}, order ${order}`);
        assert.deepEqual(stateOf(replica), state, `world ${seed}, order ${order}`);
      }
    }
  });
});

describe('A1 A2 A3 A4 A5 A6 A7 A10 worlds in which engine and model once differed', () => {
  const told = (
    name: string,
    ops: readonly (readonly [string, Partial<PlainOp>])[],
    accepted: readonly string[],
    members: Readonly<Record<string, string>>,
  ) =>
    it(name, () => {
      const world = asWorld(story(ops));
      const verdicts = new Stage().play(world);
      assert.deepEqual(new Set(verdicts.accepted), new Set(accepted));
      assert.deepEqual(verdicts.members, members);
      mustAgree(story(ops), () => new Stage());
    });

  const BEGINNING: readonly (readonly [string, Partial<PlainOp>])[] = [
    ['genesis', { author: 'Alice', type: 'genesis' }],
    ['bob in', { author: 'Alice', type: 'admit', target: 'Bob', role: 1, cred: 'genesis', past: ['genesis'] }],
  ];

  told(
    'A10 nobody admits himself, whatever a junior has tried on him',
    [
      ...BEGINNING,
      ['attempt', { author: 'Bob', type: 'remove', target: 'Alice', cred: 'bob in', past: ['bob in'] }],
      ['herself', { author: 'Alice', type: 'admit', target: 'Alice', role: 1, cred: 'genesis', past: ['attempt'] }],
    ],
    ['genesis', 'bob in'],
    { Alice: 'manager', Bob: 'participant' },
  );

  told(
    'A10 who has left and is back cannot be admitted once more for having left',
    [
      ...BEGINNING,
      ['leave', { author: 'Bob', type: 'leave', cred: 'bob in', past: ['bob in'] }],
      ['back', { author: 'Alice', type: 'admit', target: 'Bob', role: 1, cred: 'genesis', past: ['leave'] }],
      ['again', { author: 'Alice', type: 'admit', target: 'Bob', role: 1, cred: 'genesis', past: ['back'] }],
    ],
    ['genesis', 'bob in', 'leave', 'back'],
    { Alice: 'manager', Bob: 'participant' },
  );

  told(
    'A3 A6 whom a participant has let in and a manager promotes acts as what he is now',
    [
      ...BEGINNING,
      ['carol in', { author: 'Bob', type: 'admit', target: 'Carol', role: 1, cred: 'bob in', past: ['bob in'] }],
      ['promoted', { author: 'Alice', type: 'setRole', target: 'Carol', role: 0, cred: 'genesis', past: ['carol in'] }],
      ['dave in', { author: 'Carol', type: 'admit', target: 'Dave', role: 0, cred: 'promoted', past: ['promoted'] }],
      ['demoted', { author: 'Carol', type: 'setRole', target: 'Bob', role: 2, cred: 'promoted', past: ['dave in'] }],
    ],
    ['genesis', 'bob in', 'carol in', 'promoted', 'dave in', 'demoted'],
    { Alice: 'manager', Bob: 'guest', Carol: 'manager', Dave: 'manager' },
  );

  told(
    'A6 A10 who gives a role to whom a junior has let in keeps him in, though the junior was cut off meanwhile',
    [
      ...BEGINNING,
      ['dave in', { author: 'Alice', type: 'admit', target: 'Dave', role: 0, cred: 'genesis', past: ['bob in'] }],
      ['carol in', { author: 'Bob', type: 'admit', target: 'Carol', role: 2, cred: 'bob in', past: ['bob in'] }],
      ['bob out', { author: 'Alice', type: 'remove', target: 'Bob', cred: 'genesis', past: ['dave in'] }],
      [
        'raised',
        { author: 'Dave', type: 'setRole', target: 'Carol', role: 1, cred: 'dave in', past: ['dave in', 'carol in'] },
      ],
      ['post', { author: 'Carol', type: 'data', cred: 'raised', past: ['raised'] }],
    ],
    ['genesis', 'bob in', 'dave in', 'bob out', 'raised', 'post'],
    { Alice: 'manager', Carol: 'participant', Dave: 'manager' },
  );

  told(
    'A10 I4 an admission that cites what is no credential names nobody, and makes no target of whom he would let in',
    [
      ...BEGINNING,
      ['nothing', { author: 'Bob', type: 'remove', target: 'Bob', cred: 'bob in', past: ['bob in'] }],
      ['dave in', { author: 'Bob', type: 'admit', target: 'Dave', role: 2, cred: 'nothing', past: ['nothing'] }],
      ['raised', { author: 'Bob', type: 'setRole', target: 'Dave', role: 0, cred: 'bob in', past: ['dave in'] }],
      ['carol in', { author: 'Dave', type: 'admit', target: 'Carol', role: 0, cred: 'raised', past: ['raised'] }],
      ['promoted', { author: 'Alice', type: 'setRole', target: 'Carol', role: 0, cred: 'genesis', past: ['carol in'] }],
    ],
    ['genesis', 'bob in'],
    { Alice: 'manager', Bob: 'participant' },
  );

  told(
    'A10 a removal by somebody whom nobody let in, or upon another’s credential, makes nobody free to be admitted',
    [
      ...BEGINNING,
      ['made', { author: 'Eve', type: 'setRole', target: 'Eve', role: 1, past: ['bob in'] }],
      ['claimed', { author: 'Eve', type: 'remove', target: 'Bob', cred: 'made', past: ['made'] }],
      ['stolen', { author: 'Eve', device: 1, type: 'remove', target: 'Bob', cred: 'bob in', past: ['bob in'] }],
      [
        'again',
        { author: 'Alice', type: 'admit', target: 'Bob', role: 0, cred: 'genesis', past: ['claimed', 'stolen'] },
      ],
    ],
    ['genesis', 'bob in'],
    { Alice: 'manager', Bob: 'participant' },
  );

  told(
    'I4 A10 whoever names himself in an admission of his own is nobody whom one could remove',
    [
      ...BEGINNING,
      ['made', { author: 'Bob', type: 'setRole', target: 'Dave', role: 0, cred: 'bob in', past: ['bob in'] }],
      ['himself', { author: 'Dave', type: 'admit', target: 'Dave', role: 0, cred: 'made', past: ['made'] }],
      ['removed', { author: 'Alice', type: 'remove', target: 'Dave', cred: 'genesis', past: ['himself'] }],
    ],
    ['genesis', 'bob in'],
    { Alice: 'manager', Bob: 'participant' },
  );

  told(
    'A1 A10 what cites a credential that is written after it cites none, and names nobody',
    [
      ...BEGINNING,
      ['carol in', { author: 'Alice', type: 'admit', target: 'Carol', role: 0, cred: 'genesis', past: ['bob in'] }],
      [
        'dave in',
        { author: 'Bob', device: 2, type: 'admit', target: 'Dave', role: 1, cred: 'claim', past: ['genesis'] },
      ],
      ['claim', { author: 'Dave', type: 'admit', target: 'Bob', role: 1, past: ['carol in'] }],
      [
        'raised',
        { author: 'Carol', type: 'setRole', target: 'Dave', role: 0, cred: 'carol in', past: ['dave in', 'claim'] },
      ],
      ['removed', { author: 'Dave', device: 3, type: 'remove', target: 'Bob', cred: 'raised', past: ['raised'] }],
      ['again', { author: 'Alice', type: 'admit', target: 'Bob', role: 2, cred: 'genesis', past: ['removed'] }],
    ],
    ['genesis', 'bob in', 'carol in'],
    { Alice: 'manager', Bob: 'participant', Carol: 'manager' },
  );

  const PROMOTED: readonly (readonly [string, Partial<PlainOp>])[] = [
    ['promoted', { author: 'Alice', type: 'setRole', target: 'Bob', role: 0, cred: 'genesis', past: ['bob in'] }],
    ['leave', { author: 'Bob', type: 'leave', cred: 'bob in', past: ['bob in'] }],
  ];

  told(
    'A6 A7 a leave binds what has it in its past, also under a role that was given at the same time and is judged earlier',
    [
      ...BEGINNING,
      ...PROMOTED,
      ['post', { author: 'Bob', type: 'data', cred: 'promoted', past: ['promoted', 'leave'] }],
      ['carol in', { author: 'Bob', type: 'admit', target: 'Carol', role: 1, cred: 'promoted', past: ['post'] }],
      ['as before', { author: 'Bob', device: 1, type: 'data', cred: 'bob in', past: ['leave'] }],
      ['not yet heard', { author: 'Bob', device: 2, type: 'data', cred: 'promoted', past: ['promoted'] }],
    ],
    ['genesis', 'bob in', 'promoted', 'leave', 'not yet heard'],
    { Alice: 'manager' },
  );

  told(
    'A3 A7 who is let in again acts under what he is then, not under what he was given when he left (world “yew.1800”)',
    [
      ...BEGINNING,
      ...PROMOTED,
      [
        'back',
        { author: 'Alice', type: 'admit', target: 'Bob', role: 2, cred: 'genesis', past: ['promoted', 'leave'] },
      ],
      ['as manager', { author: 'Bob', type: 'admit', target: 'Carol', role: 1, cred: 'promoted', past: ['back'] }],
      ['second leave', { author: 'Bob', device: 1, type: 'leave', cred: 'back', past: ['back'] }],
    ],
    ['genesis', 'bob in', 'promoted', 'leave', 'back', 'second leave'],
    { Alice: 'manager' },
  );
});

/** Operations as one tells them: pasts are closed here, and the device is the first where none is said. */
function story(told: readonly (readonly [string, Partial<PlainOp>])[]): readonly PlainOp[] {
  const ops = new Map<string, PlainOp>();
  for (const [id, op] of told) {
    const { author = '', device = 0 } = op;
    const own = [...ops.values()].filter((other) => other.author === author && other.device === device);
    const named = [...(op.past ?? []), ...own.map((other) => other.id)];
    const past = [...new Set(named.flatMap((name) => [name, ...ops.get(name)!.past]))];
    ops.set(id, { type: 'data', target: '', role: 0, perm: 'edit', allow: true, ...op, id, author, device, past });
  }
  return [...ops.values()];
}
