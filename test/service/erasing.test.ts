/**
 * K4 in a whole house: the message key of an epoch that was followed is looked for in every byte of the stores, opened with their
 * owners' keys. What was written under it stays readable, for who comes later as well.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64Url } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { Keyring } from '../../src/service/keyring.ts';
import { unlock } from '../../src/store/header.ts';
import { nodeDisk } from '../../src/store/node-disk.ts';
import { FileKind, Sealer } from '../../src/store/record.ts';
import { HEADER_BYTES, readHeader } from '../../src/store/segment.ts';
import { epochOf, generationKey } from '../../src/sync/epoch.ts';
import { Desk, threePeople } from '../sync/office.ts';
import { House, twice, type Person } from './house.ts';

const crypto = nodeCrypto();
const KINDS: Readonly<Record<string, FileKind>> = { journal: FileKind.journal, snapshot: FileKind.snapshot };

/** Every byte in a person's folder, as it lies there, and of what is sealed what its owner reads in it. */
async function everyByteOf(person: Person): Promise<readonly Buffer[]> {
  const keys = await unlock(nodeDisk(), person.folder, crypto, fromBase64Url(person.secrets.storeKey)!);
  const sealer = new Sealer(crypto, keys!);
  const found: Buffer[] = [];
  for (const entry of await readdir(person.folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0)); // gone meanwhile
    found.push(bytes);
    const [name, extension] = entry.name.split('.') as [string, string | undefined];
    const kind = KINDS[extension ?? ''];
    if (kind === undefined || bytes.length === 0) continue;
    const generation = readHeader(crypto, keys!, kind, Number(name), bytes)!;
    const place = { kind, generation, number: Number(name) };
    for (const stretch of sealer.read(place, bytes, HEADER_BYTES)) {
      assert.equal(stretch.kind, 'record', `all of ${entry.name} can be read`);
      if (stretch.kind === 'record') found.push(Buffer.from(stretch.plain));
    }
  }
  return found;
}

async function holds(person: Person, key: Uint8Array): Promise<boolean> {
  return (await everyByteOf(person)).some((bytes) => bytes.includes(Buffer.from(key)));
}

describe('K4 keys on the disk', () => {
  let house: House;
  beforeEach(async () => (house = await House.build()));
  afterEach(() => house.close());

  it('K4 F1 the key of an epoch that all have left goes from every byte of the stores; its content stays, for a later member too', async () => {
    const anew = twice();
    const alice = await house.move('Alice');
    const bob = await house.move('Bob', anew);
    const carol = await house.move('Carol');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    for (const person of [bob, carol]) await house.join(alice, person, workspace, { confirm: false });
    const [files] = await alice.tools(workspace);
    await alice.write(workspace, files!, '/old.txt', 'from before anybody was removed '.repeat(40));
    await bob.whole(workspace);
    const kept = alice
      .known()
      .find((record) => record.kind === 'local' && record.key.startsWith(`epoch/${workspace}/`));
    assert.ok(kept?.kind === 'local' && kept.value instanceof Uint8Array);
    // The array itself is wiped with the rest.
    const { tag, key, chunkKey } = epochOf(crypto, kept.value.slice());
    assert.ok(await holds(bob, key), 'it is found while it is there');

    await alice.api.removeMember(workspace, (await carol.api.identity()).account);
    await bob.until(async () => (await bob.info(workspace)).members.length === 2);
    // An ack is written once a minute, and now it is a minute later: whatever acknowledges this, the removal as well.
    for (const person of [alice, bob]) person.aheadMs = 120_000;
    await alice.write(workspace, files!, '/later.txt', 'of a minute later');
    await anew.done;
    assert.equal(await holds(bob, key), false, 'it is nowhere any more');
    assert.ok(await holds(bob, chunkKey), 'the key of the chunks is kept');
    await bob.write(workspace, files!, '/new.txt', 'of the new generation '.repeat(40));
    const dave = await house.move('Dave');
    await house.join(bob, dave, workspace, { confirm: false });
    assert.equal((await house.converged(workspace, alice, bob, dave)).length, 3);
    const daves = dave.known().flatMap((record) => (record.kind === 'local' ? record.key : []));
    assert.ok(daves.some((name) => name === `generation/${workspace}/${tag}`));
    assert.ok(!daves.some((name) => name === `epoch/${workspace}/${tag}`));
    // Not by opening the store again either: the box is still in the log of words, and stays closed.
    await bob.close();
    await bob.open();
    await bob.whole(workspace);
    assert.equal(await holds(bob, key), false);
    assert.deepEqual(await house.converged(workspace, alice, bob, dave), await alice.listing(workspace));
  }).timeout(60_000);

  it('K4 R4 capabilities are made for the epochs that are held, not for those that were erased, after a restart too', () => {
    const { office, alice, bob, carol } = threePeople('K4 capabilities');
    const local = new LocalState();
    const keyring = new Keyring(crypto, local, office.team.workspace, alice.engine.keys);
    keyring.remember(alice.engine.keys.held());
    office.link(alice, bob, carol);
    const first = office.team.epoch;
    const chunkKey = generationKey(crypto, first.key);
    alice.remove(carol);
    office.pump();
    keyring.remember(alice.engine.keys.held());
    assert.equal(keyring.capabilities(alice.device).length, 2);
    office.rest();
    keyring.rememberGenerations(alice.erased);
    assert.equal(keyring.capabilities(alice.device).length, 1);
    const { engine: again } = new Desk(office, alice.person);
    const reopened = new Keyring(crypto, local, office.team.workspace, again.keys);
    for (const { delta } of alice.engine.replica.nodes()) again.restore(delta.bytes);
    again.opened();
    assert.equal(reopened.capabilities(alice.device).length, 1);
    assert.deepEqual(reopened.find(first.tag), chunkKey);
    assert.equal(again.keys.find(first.tag), undefined);
  });
});
