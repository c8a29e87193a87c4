import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentFile, fileSecrets, parseSecrets, SECRET_KEY, storedSecrets } from '../../src/views/secrets.ts';

const secret = (letter: string): string => letter.repeat(43);
const secrets = {
  accountSeed: secret('a'),
  signingSeed: secret('b'),
  agreementSecret: secret('c'),
  storeKey: secret('d'),
};

describe('the device’s secrets (I2)', () => {
  it('live under one key of the secret storage', async () => {
    const kept = new Map<string, string>();
    const door = storedSecrets({
      get: async (key) => kept.get(key),
      store: async (key, value) => void kept.set(key, value),
    });
    assert.equal(await door.read(), undefined);
    await door.write(secrets);
    assert.deepEqual([...kept.keys()], [SECRET_KEY]);
    assert.deepEqual(await door.read(), secrets);
  });

  it('of a store that was set aside are kept, those of the same store are replaced', async () => {
    const kept = new Map<string, string>();
    const door = storedSecrets({
      get: async (key) => kept.get(key),
      store: async (key, value) => void kept.set(key, value),
    });
    await door.write(secrets);
    await door.write({ ...secrets, accountSeed: secret('e') });
    assert.deepEqual([...kept.keys()], [SECRET_KEY]);
    kept.set(SECRET_KEY, 'damaged');
    await door.write({ ...secrets, storeKey: secret('f') });
    await door.write({ ...secrets, storeKey: secret('g') });
    assert.equal(kept.get(`${SECRET_KEY}.aside-1`), 'damaged');
    assert.equal(parseSecrets(kept.get(`${SECRET_KEY}.aside-2`))?.storeKey, secret('f'));
    assert.equal((await door.read())?.storeKey, secret('g'));
  });

  it('that are not four whole ones are none', () => {
    for (const text of [
      undefined,
      '',
      'null',
      '[]',
      '{}',
      JSON.stringify({ ...secrets, storeKey: 'short' }),
      '{"a',
    ] as const) {
      assert.equal(parseSecrets(text), undefined, text);
    }
    assert.deepEqual(parseSecrets(JSON.stringify({ ...secrets, more: 1 })), secrets);
  });

  it('go into the file of development only if both variables say so', () => {
    assert.deepEqual(developmentFile({}), { refused: false });
    assert.deepEqual(developmentFile({ COTERIE_DEV: '1' }), { refused: false });
    assert.deepEqual(developmentFile({ COTERIE_DEV_SECRETS: '/s' }), { refused: true });
    assert.deepEqual(developmentFile({ COTERIE_DEV_SECRETS: '/s', COTERIE_DEV: '0' }), { refused: true });
    assert.deepEqual(developmentFile({ COTERIE_DEV_SECRETS: '/s', COTERIE_DEV: '1' }), { file: '/s', refused: false });
  });

  it('in the file of development are for its owner alone; a damaged file is no secrets', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cot-secrets-'));
    try {
      const file = join(folder, 'secrets.json');
      const door = fileSecrets(file);
      assert.equal(await door.read(), undefined);
      await door.write(secrets);
      assert.deepEqual(await door.read(), secrets);
      if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
      await writeFile(file, '{"accountSeed":');
      assert.equal(await door.read(), undefined);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
