/** K2: the words by which a person is out of a workspace, for those of his devices that may not have heard. */
import assert from 'node:assert/strict';
import type { WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { Farewells } from '../../src/service/farewells.ts';
import type { Hub } from '../../src/service/hub.ts';
import { LocalState } from '../../src/service/local-state.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import type { Node } from '../../src/sync/graph.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';

const crypto = nodeCrypto(seededRandom('farewells'));
const [self, sister, knowing] = makePerson(crypto, 'Alice', 3).devices;
const [bob] = makePerson(crypto, 'Bob', 1).devices;
const id = '0a'.repeat(32) as WorkspaceId;

const hub = (local: LocalState) => ({ local, identity: self, commit: () => Promise.resolve() }) as unknown as Hub;
const word = (kind: string) => ({ delta: { kind, bytes: new Uint8Array([1, 2, 3]) } }) as unknown as Node;
const workspace = {
  ...{ id, device: self!.device },
  roster: { certificates: new Map([self, sister, knowing, bob].map((one) => [one!.device, one!.certificate])) },
  engine: { session: { knowsItIsOut: (device: string) => device === knowing!.device } },
} as unknown as SharedWorkspace;

describe('Words by which a person is out', () => {
  it('K2 are told to each of his own devices that may not know, over a start, till it says that it has no copy', async () => {
    const local = new LocalState();
    new Farewells(hub(local)).keep(workspace, word('remove'));
    const farewells = new Farewells(hub(local));
    for (const { device } of [self!, knowing!, bob!]) assert.deepEqual(farewells.for(device), []);
    const told = { kind: 'out', workspace: id, word: new Uint8Array([1, 2, 3]) };
    assert.deepEqual(farewells.for(sister!.device), [told]);
    await farewells.told(bob!.device, id);
    assert.deepEqual(farewells.for(sister!.device), [told]);
    await farewells.told(sister!.device, id);
    assert.deepEqual(farewells.for(sister!.device), []);
    assert.deepEqual([...local.under('out/')], []);
  });

  it('K2 are those about himself, not about one device of his; and no more once he is in again', () => {
    const local = new LocalState();
    const farewells = new Farewells(hub(local));
    for (const kind of ['drop', 'removeDevice', 'freeze']) farewells.keep(workspace, word(kind));
    assert.deepEqual(farewells.for(sister!.device), []);
    farewells.keep(workspace, word('leave'));
    assert.equal(farewells.for(sister!.device).length, 1);
    farewells.forget(id);
    assert.deepEqual(farewells.for(sister!.device), []);
  });
});
