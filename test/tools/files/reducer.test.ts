import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeltaId } from '../../../src/base/ids.ts';
import type { Value } from '../../../src/protocol/codec.ts';
import { MAX_FOLDER_DEPTH, MAX_HEADS, MAX_NAME_BYTES } from '../../../src/protocol/limits.ts';
import { Role } from '../../../src/sync/control.ts';
import { contentToValue } from '../../../src/tools/files/content.ts';
import { filesBody, readFilesDelta, type FilesDelta } from '../../../src/tools/files/deltas.ts';
import {
  ITEMS,
  itemFromRow,
  VERSIONS,
  versionFromRow,
  type Item,
  type Version,
} from '../../../src/tools/files/rows.ts';
import { contentOf, FILES, stateOf, Team, type Copy } from '../../sync/team.ts';

const NOBODY = 'ab'.repeat(32) as DeltaId;
const empty = contentOf('');
const patch = { kind: 'patch', bytes: 100, sha256: new Uint8Array(32), patch: new Uint8Array(10) } as const;

function itemOf(copy: Copy, id: DeltaId): Item {
  return itemFromRow(copy.replica.fold.row(FILES, ITEMS, id)!);
}

function versionOf(copy: Copy, id: DeltaId): Version {
  return versionFromRow(copy.replica.fold.row(FILES, VERSIONS, id)!);
}

function duo(seed: number, role: Role = Role.participant): { alice: Copy; bob: Copy; team: Team } {
  const team = new Team(seed);
  const bob = team.join('Bob', team.founder, role);
  return { alice: team.founder, bob, team };
}

function says(copy: Copy, delta: FilesDelta): string | undefined {
  return copy.verdict(copy.files(delta));
}

function ver(copy: Copy, parents: readonly DeltaId[], text: string): DeltaId {
  return copy.files({ kind: 'ver', parents, content: contentOf(text) });
}

describe('files', () => {
  it('F1 a version replaces the one it names', () => {
    const { alice } = duo(1);
    const file = alice.file('a.txt');
    assert.deepEqual(itemOf(alice, file).heads, [file]);
    const second = ver(alice, [file], 'second');
    assert.deepEqual(itemOf(alice, file).heads, [second]);
    assert.deepEqual(versionOf(alice, second).parents, [file]);
    assert.deepEqual(versionOf(alice, second).content, contentOf('second'));
    assert.ok(versionOf(alice, file).live, 'the former is kept');
  });

  it('F2 two versions of one parent both stay, in the same order on every copy, until one names both', () => {
    const { alice, bob } = duo(2);
    const file = alice.file('a.txt');
    bob.meet(alice);
    const [byAlice, byBob] = [ver(alice, [file], 'by Alice'), ver(bob, [file], 'by Bob!')];
    alice.meet(bob);
    const heads = itemOf(alice, file).heads;
    assert.deepEqual([...heads].sort(), [byAlice, byBob].sort());
    assert.deepEqual(itemOf(bob, file).heads, heads);
    const merged = ver(bob, heads, 'merged');
    alice.meet(bob);
    assert.deepEqual(itemOf(alice, file).heads, [merged]);
  });

  it('F2 a version of a parent that was replaced long ago is a conflict, not a step back', () => {
    const { alice } = duo(3);
    const file = alice.file('a.txt');
    const second = ver(alice, [file], '2');
    const third = ver(alice, [second], '33');
    const late = ver(alice, [file], 'late');
    assert.deepEqual(itemOf(alice, file).heads, [third, late]);
  });

  it('F2 of one parent a member makes eight versions at most, all together no more than one can name, and nobody is kept from going on', () => {
    const { alice, bob, team } = duo(31);
    const file = alice.file('a.txt');
    bob.meet(alice);
    const first = ver(alice, [file], 'by Alice');
    const saysOf = (copy: Copy, parent: DeltaId, count: number) =>
      Array.from({ length: count }, (_, i) =>
        says(copy, { kind: 'ver', parents: [parent], content: contentOf('x'.repeat(i)) }),
      );
    const eight = Array.from({ length: 8 }, () => 'accepted');
    // The first replaces what is a head here, and stands beside it when both have met.
    assert.deepEqual(saysOf(bob, file, 10), [...eight, 'noTarget', 'noTarget']);
    assert.equal(says(bob, { kind: 'del', parents: [file] }), 'notPermitted');
    assert.equal(says(alice, { kind: 'del', parents: [file] }), 'accepted');
    alice.meet(bob);
    assert.equal(itemOf(alice, file).heads.length, 10);
    const others = [1, 2, 3].map((n) => team.join(`Carol ${n}`));
    for (const carol of others) saysOf(carol, file, 8);
    alice.meet(...others);
    alice.meet(...others, bob);
    const { heads } = itemOf(alice, file);
    assert.equal(heads.length, MAX_HEADS);
    assert.ok(heads.includes(first));
    for (const copy of [bob, ...others]) assert.deepEqual(stateOf(copy.replica), stateOf(alice.replica));
    assert.equal(says(alice, { kind: 'ver', parents: [file], content: contentOf('late') }), 'noTarget');
    const next = ver(bob, [heads.at(-1)!], 'upon one of them');
    assert.equal(itemOf(bob, file).heads.length, MAX_HEADS);
    assert.deepEqual(itemOf(bob, file).heads.at(-1), next);
    const all = ver(bob, itemOf(bob, file).heads, 'upon all of them');
    assert.deepEqual(itemOf(bob, file).heads, [all]);
  });

  it('F2 deleted here and edited there: the edit lives, nothing is lost', () => {
    const { alice, bob } = duo(4);
    const file = alice.file('a.txt');
    bob.meet(alice);
    const deleted = alice.files({ kind: 'del', parents: [file] });
    const edited = ver(bob, [file], 'edited');
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      const live = itemOf(copy, file).heads.filter((head) => versionOf(copy, head).live);
      assert.deepEqual(live, [edited]);
    }
    assert.equal(versionOf(alice, deleted).live, false);
    // Restored from its history: a version of the deleted one.
    const again = ver(alice, itemOf(alice, file).heads, 'back');
    assert.deepEqual(itemOf(alice, file).heads, [again]);
  });

  it('F4 renamed here and edited there: both are kept', () => {
    const { alice, bob } = duo(5);
    const file = alice.file('a.txt');
    const folder = alice.files({ kind: 'folder', parent: undefined, name: 'src' });
    bob.meet(alice);
    alice.files({ kind: 'move', item: file, parent: folder, name: 'b.txt' });
    const edited = ver(bob, [file], 'edited');
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      const { name, parent, heads } = itemOf(copy, file);
      assert.deepEqual([name, parent, heads], ['b.txt', folder, [edited]]);
    }
  });

  it('F4 two who move a folder each into the other’s: the later is void, no circle, the same everywhere', () => {
    const { alice, bob } = duo(6);
    const [a, b] = ['a', 'b'].map((name) => alice.files({ kind: 'folder', parent: undefined, name }));
    bob.meet(alice);
    const intoB = alice.files({ kind: 'move', item: a!, parent: b, name: 'a' });
    const intoA = bob.files({ kind: 'move', item: b!, parent: a, name: 'b' });
    alice.meet(bob);
    assert.deepEqual(stateOf(alice.replica), stateOf(bob.replica));
    assert.deepEqual([alice.verdict(intoB), alice.verdict(intoA)].sort(), ['accepted', 'noTarget']);
    assert.equal(
      [itemOf(alice, a!).parent, itemOf(alice, b!).parent].filter((parent) => parent === undefined).length,
      1,
    );
  });

  it('F4 a circle of three concurrent moves is broken in the same place everywhere', () => {
    const { alice, bob, team } = duo(7);
    const carol = team.join('Carol');
    const folders = ['a', 'b', 'c'].map((name) => alice.files({ kind: 'folder', parent: undefined, name }));
    for (const copy of [bob, carol]) copy.meet(alice);
    for (const copy of [bob, carol]) copy.meet(alice);
    for (const [i, copy] of [alice, bob, carol].entries()) {
      copy.files({ kind: 'move', item: folders[i]!, parent: folders[(i + 1) % 3], name: 'moved' });
    }
    alice.meet(bob, carol);
    alice.meet(bob, carol);
    assert.deepEqual(stateOf(alice.replica), stateOf(bob.replica));
    assert.deepEqual(stateOf(alice.replica), stateOf(carol.replica));
    for (const folder of folders) {
      let at: DeltaId | undefined = folder;
      let steps = 0;
      for (; at !== undefined; at = itemOf(alice, at).parent) assert.ok(++steps <= 3, 'a way to the root');
    }
  });

  it('F4 nothing goes into itself, into a file, or into what is not there', () => {
    const { alice } = duo(8);
    const folder = alice.files({ kind: 'folder', parent: undefined, name: 'a' });
    const inner = alice.files({ kind: 'folder', parent: folder, name: 'b' });
    const file = alice.file('c', inner);
    for (const parent of [folder, inner, file, NOBODY]) {
      assert.equal(says(alice, { kind: 'move', item: folder, parent, name: 'x' }), 'noTarget');
    }
    assert.equal(says(alice, { kind: 'move', item: NOBODY, parent: undefined, name: 'x' }), 'noTarget');
    for (const parent of [file, NOBODY]) {
      assert.equal(says(alice, { kind: 'file', parent, name: 'x', content: empty }), 'noTarget');
      assert.equal(says(alice, { kind: 'folder', parent, name: 'x' }), 'noTarget');
    }
  });

  it('F4 folders stand in folders to a depth and no further', () => {
    const { alice } = duo(9);
    let parent: DeltaId | undefined;
    for (let depth = 0; depth < MAX_FOLDER_DEPTH; depth++) parent = alice.files({ kind: 'folder', parent, name: 'd' });
    assert.equal(alice.verdict(parent!), 'accepted');
    assert.equal(says(alice, { kind: 'folder', parent, name: 'one more' }), 'noTarget');
    const file = alice.file('a');
    assert.equal(says(alice, { kind: 'move', item: file, parent, name: 'a' }), 'noTarget');
  });

  it('F4 one way of folders is not put below another, so that none is deeper, whoever has made which in the meantime', () => {
    const { alice, bob, team } = duo(32);
    const folders = (copy: Copy, count: number, top?: DeltaId): readonly DeltaId[] => {
      const way: DeltaId[] = [];
      for (let i = 0; i < count; i++) way.push(copy.files({ kind: 'folder', parent: way.at(-1) ?? top, name: `${i}` }));
      return way;
    };
    const [way, other] = [folders(alice, 40), folders(alice, 40)];
    assert.equal(says(alice, { kind: 'move', item: other[0]!, parent: way.at(-1), name: 'o' }), 'noTarget');
    assert.equal(says(alice, { kind: 'move', item: other[0]!, parent: way[23], name: 'o' }), 'accepted');
    assert.equal(says(alice, { kind: 'folder', parent: other.at(-1), name: 'one more' }), 'noTarget');
    assert.equal(says(alice, { kind: 'file', parent: way.at(-1), name: 'a', content: empty }), 'accepted');
    bob.meet(alice);
    const [root] = folders(alice, 1);
    bob.meet(alice);
    // Each may do it as he sees it, and not both.
    const moved = alice.files({ kind: 'move', item: way[0]!, parent: root, name: 'below' });
    const [, last] = folders(bob, 20, root);
    const deep = bob.files({ kind: 'folder', parent: last, name: 'deep' });
    assert.equal(alice.verdict(moved), 'noTarget');
    bob.meet(alice);
    const carol = team.copyOf(team.person('Carol'), bob);
    for (const copy of [alice, bob, carol]) {
      assert.equal(copy.verdict(deep), 'accepted');
      for (const { table, key } of copy.replica.fold.rows()) {
        let depth = 0;
        let at = table === ITEMS && itemOf(copy, key as DeltaId).folder ? (key as DeltaId) : undefined;
        for (; at !== undefined; at = itemOf(copy, at).parent) depth++;
        assert.ok(depth <= MAX_FOLDER_DEPTH, `${depth} folders`);
      }
      assert.deepEqual(stateOf(copy.replica), stateOf(alice.replica));
    }
  });

  it('F1 versions of something else, of a folder, of several items, of nothing are void', () => {
    const { alice } = duo(10);
    const [file, other] = [alice.file('a'), alice.file('b')];
    const folder = alice.files({ kind: 'folder', parent: undefined, name: 'f' });
    assert.equal(says(alice, { kind: 'ver', parents: [NOBODY], content: empty }), 'noTarget');
    assert.equal(says(alice, { kind: 'ver', parents: [file, other], content: empty }), 'noTarget');
    assert.equal(says(alice, { kind: 'ver', parents: [folder], content: empty }), 'noTarget');
    assert.equal(says(alice, { kind: 'del', parents: [NOBODY] }), 'noTarget');
    assert.equal(says(alice, { kind: 'del', parents: [folder] }), 'accepted');
    const deleted = alice.files({ kind: 'del', parents: [file] });
    assert.equal(says(alice, { kind: 'ver', parents: [deleted], content: patch }), 'noTarget');
    assert.equal(says(alice, { kind: 'ver', parents: [other], content: patch }), 'accepted');
  });

  it('A5 participants add and edit everybody’s, delete and only delete their own', () => {
    const { alice, bob } = duo(11);
    const file = alice.file('a');
    bob.meet(alice);
    const edited = ver(bob, [file], 'b');
    assert.equal(bob.verdict(edited), 'accepted');
    assert.equal(says(bob, { kind: 'move', item: file, parent: undefined, name: 'c' }), 'accepted');
    assert.equal(says(bob, { kind: 'del', parents: [edited] }), 'notPermitted');
    const own = bob.file('own');
    assert.equal(says(bob, { kind: 'del', parents: [own] }), 'accepted');
    alice.meet(bob);
    assert.equal(says(alice, { kind: 'del', parents: [edited] }), 'accepted');
  });

  it('A9 A5 a guest changes nothing', () => {
    const { alice, bob } = duo(12, Role.guest);
    const file = alice.file('a');
    bob.meet(alice);
    const before = [...bob.replica.fold.rows()];
    const acts: readonly FilesDelta[] = [
      { kind: 'file', parent: undefined, name: 'x', content: empty },
      { kind: 'folder', parent: undefined, name: 'x' },
      { kind: 'ver', parents: [file], content: empty },
      { kind: 'del', parents: [file] },
      { kind: 'move', item: file, parent: undefined, name: 'x' },
    ];
    for (const act of acts) assert.equal(says(bob, act), 'notPermitted');
    assert.deepEqual([...bob.replica.fold.rows()], before);
  });

  it('A4 what a removal voids is undone from under what others built on it', () => {
    const { alice, bob, team } = duo(13);
    const carol = team.join('Carol');
    const file = alice.file('a');
    for (const copy of [bob, carol]) copy.meet(alice);
    const unseen = ver(bob, [file], 'unseen');
    const folder = bob.files({ kind: 'folder', parent: undefined, name: 'unseen' });
    carol.meet(bob);
    const onTop = ver(carol, [unseen], 'on top');
    const inside = carol.file('inside', folder);
    const removal = alice.remove(bob.person);
    carol.meet(alice);
    alice.meet(carol);
    for (const copy of [alice, carol]) {
      assert.equal(copy.verdict(removal), 'accepted');
      assert.deepEqual(
        [unseen, folder].map((id) => copy.verdict(id)),
        ['cutOff', 'cutOff'],
      );
      // They named what is void: kept as deltas, without effect (D9).
      assert.deepEqual(
        [onTop, inside].map((id) => copy.verdict(id)),
        ['noTarget', 'noTarget'],
      );
      assert.deepEqual(itemOf(copy, file).heads, [file]);
    }
    assert.deepEqual(stateOf(alice.replica), stateOf(carol.replica));
  });

  it('F4 D9 names that no folder can hold, and bodies of another form, are void', () => {
    const { alice } = duo(14);
    const file = alice.file('a');
    for (const name of ['', '.', '..', 'a/b', 'a\\b', 'a\0b', 'x'.repeat(MAX_NAME_BYTES + 1)]) {
      assert.equal(alice.verdict(alice.file(name)), 'malformed', JSON.stringify(name));
      assert.equal(says(alice, { kind: 'move', item: file, parent: undefined, name }), 'malformed');
    }
    // Refused by some systems only: kept, and shown safely later.
    for (const name of ['con', 'a:b', 'trailing. ', '.git']) assert.equal(alice.verdict(alice.file(name)), 'accepted');
    const content = contentToValue(empty);
    const id = new Uint8Array(32);
    const bad: readonly [string, Value][] = [
      ['file', [new Uint8Array(0), 'a', contentToValue(patch)]],
      ['file', [new Uint8Array(16), 'a', content]],
      ['file', [null, 'a', content]],
      ['file', [new Uint8Array(0), 'a']],
      ['ver', [[], content]],
      ['ver', [[id, id], content]],
      ['ver', [[id, new Uint8Array(32).fill(1)], contentToValue(patch)]],
      ['ver', [Array.from({ length: 33 }, (_, i) => new Uint8Array(32).fill(i)), content]],
      ['del', [[]]],
      ['move', [id, new Uint8Array(0)]],
      ['folder', 'x'],
    ];
    assert.equal(alice.verdict(alice.one({ tool: FILES, kind: 'link', body: [id] })), 'newer');
    for (const [kind, body] of bad)
      assert.equal(alice.verdict(alice.one({ tool: FILES, kind, body })), 'malformed', kind);
  });

  it('D4 what is written is read', () => {
    const id = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex') as DeltaId);
    const name = fc.stringMatching(/^[a-z][a-z .]{0,20}$/);
    const content = fc.string().map(contentOf);
    const parent = fc.option(id, { nil: undefined });
    const parents = fc.uniqueArray(id, { minLength: 1, maxLength: 4 });
    const delta: fc.Arbitrary<FilesDelta> = fc.oneof(
      fc.record({ kind: fc.constant('file' as const), parent, name, content }),
      fc.record({ kind: fc.constant('folder' as const), parent, name }),
      fc.record({ kind: fc.constant('ver' as const), parents, content }),
      fc.record({ kind: fc.constant('del' as const), parents }),
      fc.record({ kind: fc.constant('move' as const), item: id, parent, name }),
    );
    fc.assert(
      fc.property(delta, (one) => assert.deepEqual(readFilesDelta(one.kind, filesBody(one)), { ...one })),
      { seed: 8 },
    );
  });
});
