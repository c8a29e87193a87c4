import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeExists } from '../../src/rpc/store-presence.ts';

describe('I2 whether there is a store', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'coterie-presence-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('I2 is told by either of its headers', async () => {
    assert.equal(await storeExists(folder), false);
    assert.equal(await storeExists(join(folder, 'nowhere')), false);
    for (const name of ['store', 'store.copy']) {
      await writeFile(join(folder, name), '');
      assert.equal(await storeExists(folder), true, name);
      await rm(join(folder, name));
    }
  });

  it('I2 may be so where the disk does not tell: new secrets would take the place of its own', async () => {
    await mkdir(join(folder, 'there'));
    // A way that nobody can follow.
    await symlink('store', join(folder, 'there', 'store'));
    assert.equal(await storeExists(join(folder, 'there')), true);
  });
});
