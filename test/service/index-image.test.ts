/** L1: an index that was taken up from an image says what one that is made of the rows says. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fromBase64Url } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { ContentIndex } from '../../src/service/content-index.ts';
import { bringUpToDate, imagedOf, readImage, writeImage, type IndexImage } from '../../src/service/index-image.ts';
import { openIndex } from '../../src/store/index-db.ts';
import { openStore } from '../../src/store/store.ts';
import { BaseReader } from '../../src/sync/base.ts';
import { controlBody } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { ITEMS } from '../../src/tools/files/rows.ts';
import { CHAT, FILES, Team, type Copy } from '../sync/team.ts';
import { House } from './house.ts';

const wasm = await readFile(new URL('../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url));
const emptyIndex = async (): Promise<ContentIndex> => new ContentIndex(await openIndex({ wasm }));

/** A store as it is closed: the base, and what came after it. */
interface Kept {
  readonly base: ReturnType<Replica['base']['parts']>;
  readonly tail: readonly Uint8Array[];
}

const keptOf = ({ replica }: Copy): Kept => ({
  base: replica.base.parts(),
  tail: replica.tail().map(({ delta }) => delta.bytes),
});

function restored({ team, person }: Copy, { base, tail }: Kept): Replica {
  const { crypto, workspace } = team;
  const replica = new Replica({
    crypto,
    workspace,
    reducers: [chatReducer, filesReducer],
    own: feedOf(person.device, 0),
  });
  const reader = new BaseReader(crypto, workspace);
  for (const [part, bytes] of base.parts.entries())
    assert.ok(reader.add({ root: base.root, part, parts: base.parts.length, bytes }).ok);
  const read = reader.read();
  assert.ok(read.ok && replica.load(read.value, true).ok);
  for (const bytes of tail) replica.restore(bytes);
  return replica;
}

/** Everything that an index says of a workspace. */
function told(index: ContentIndex, { workspace }: Replica, folders: readonly (string | undefined)[]) {
  return {
    posts: index.newest(workspace, CHAT, 1_000),
    children: folders.map((folder) => index.children(workspace, FILES, folder as never).toSorted()),
  };
}

async function isRight(index: ContentIndex, replica: Replica): Promise<void> {
  const anew = await emptyIndex();
  anew.apply(replica.workspace, [...replica.fold.rows()]);
  const folders = [undefined, ...[...replica.fold.rows()].filter(({ table }) => table === ITEMS).map(({ key }) => key)];
  assert.deepEqual(told(index, replica, folders), told(anew, replica, folders));
}

function imageOf(copy: Copy, index: ContentIndex): IndexImage {
  const imaged = imagedOf(copy.replica);
  assert.ok(imaged);
  const written = writeImage(new Map([[copy.team.workspace, imaged]]), () => index.image());
  const read = written && readImage(written);
  assert.ok(read);
  return read;
}

/** Alice's copy has a base and things upon it; its index has both. */
async function atWork(seed: string) {
  const team = new Team(seed);
  const alice = team.founder;
  const bob = team.join('Bob');
  const posts = Array.from({ length: 20 }, (_, n) => alice.post(`post ${n}`));
  const folder = alice.files({ kind: 'folder', parent: undefined, name: 'folder' });
  const files = Array.from({ length: 20 }, (_, n) => alice.file(`file ${n}`, n % 2 === 0 ? folder : undefined));
  for (let round = 0; round < 3; round++) {
    alice.meet(bob);
    for (const copy of [alice, bob]) if (copy.replica.own.isAckDue) copy.control('ack', []);
    alice.meet(bob);
  }
  assert.ok(alice.replica.advance().folded.length > 40);
  const base = alice.replica.base.parts();
  alice.chat({ kind: 'unpost', post: posts[3]! });
  alice.post('upon the base');
  bob.post('of bob');
  bob.file('of bob');
  alice.meet(bob);
  const index = await emptyIndex();
  bringUpToDate(index, alice.replica, undefined);
  await isRight(index, alice.replica);
  return { team, alice, bob, index, folder, files, posts, base };
}

describe('L1 the image of an index', () => {
  it('L1 is brought up to date by what is upon the base alone', async () => {
    const { alice, index } = await atWork('image 1');
    const image = imageOf(alice, index);
    const next = await emptyIndex();
    assert.ok(next.takeUp(image.tables));
    const replica = restored(alice, keptOf(alice));
    let put = 0;
    const apply = next.apply.bind(next);
    next.apply = (workspace, changes) => {
      put += changes.length;
      apply(workspace, changes);
    };
    bringUpToDate(next, replica, image.workspaces.get(replica.workspace));
    await isRight(next, replica);
    assert.ok(put > 0 && put < 20, `${put} rows were put into it`);
  });

  it('L1 L5 what was upon the base and is void now is not in it any more', async () => {
    const { alice, bob, index } = await atWork('image 2');
    const image = imageOf(alice, index);
    // Of Bob's second post the removal knows nothing.
    bob.post('too late');
    alice.remove(bob.person);
    alice.meet(bob);
    const next = await emptyIndex();
    next.takeUp(image.tables);
    const replica = restored(alice, keptOf(alice));
    bringUpToDate(next, replica, image.workspaces.get(replica.workspace));
    await isRight(next, replica);
  });

  it('L1 what the base has become another in, or a tool that shows nowhere now, is put anew', async () => {
    for (const change of [
      (alice: Copy) => void alice.control('deleteTool', controlBody.deleteTool(CHAT)),
      (alice: Copy, bob: Copy) => {
        alice.post('more');
        for (let round = 0; round < 3; round++) {
          for (const copy of [alice, bob]) if (copy.replica.own.isAckDue) copy.control('ack', []);
          alice.meet(bob);
        }
        assert.ok(alice.replica.advance().folded.length > 0);
      },
    ]) {
      const { alice, bob, index } = await atWork('image 3');
      const image = imageOf(alice, index);
      change(alice, bob);
      const next = await emptyIndex();
      next.takeUp(image.tables);
      const replica = restored(alice, keptOf(alice));
      bringUpToDate(next, replica, image.workspaces.get(replica.workspace));
      await isRight(next, replica);
    }
  });

  it('L1 two workspaces may have a tool of the same id, and do not see each other', async () => {
    const one = await atWork('image 4');
    const other = await atWork('image 5');
    bringUpToDate(one.index, restored(other.alice, keptOf(other.alice)), undefined);
    await isRight(one.index, one.alice.replica);
    await isRight(one.index, other.alice.replica);
    one.index.forget(other.team.workspace);
    await isRight(one.index, one.alice.replica);
    assert.deepEqual(one.index.newest(other.team.workspace, CHAT, 10), []);
  });

  it('K2 nothing of a workspace that is forgotten is in an image made later', async () => {
    const { team, index, posts } = await atWork('image 7');
    const has = (id: string) => Buffer.from(index.image()).includes(Buffer.from(id, 'hex'));
    assert.ok(has(posts[0]!));
    index.forget(team.workspace);
    for (const post of posts) assert.equal(has(post), false);
  });

  it('K2 an image that tells of a workspace which is not here any more does not outlive the next start', async () => {
    const { alice, index } = await atWork('image 8');
    const house = await House.build();
    try {
      const dave = await house.move('Dave');
      await dave.api.createWorkspace({ name: 'Apollo' });
      await dave.close();
      const open = () =>
        openStore({ folder: dave.folder, key: fromBase64Url(dave.secrets.storeKey)!, crypto: nodeCrypto() });
      const store = await open();
      const image = writeImage(new Map([[alice.team.workspace, imagedOf(alice.replica)!]]), () => index.image());
      await store.indexImage.write(image!);
      await store.close();
      await dave.open();
      await dave.close();
      const after = await open();
      assert.equal(await after.indexImage.read(), undefined);
      await after.close();
    } finally {
      await house.close();
    }
  });

  it('L1 one of another form, or none at all, is no image', async () => {
    const { alice, index } = await atWork('image 6');
    const written = writeImage(new Map([[alice.team.workspace, imagedOf(alice.replica)!]]), () => index.image())!;
    assert.ok(readImage(written));
    for (const bytes of [
      new Uint8Array(0),
      written.subarray(0, -1),
      written.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
    ])
      assert.equal(readImage(bytes), undefined);
    const next = await emptyIndex();
    assert.equal(next.takeUp(Uint8Array.of(1, 2, 3)), false);
    bringUpToDate(next, restored(alice, keptOf(alice)), undefined);
    await isRight(next, alice.replica);
  });
});
