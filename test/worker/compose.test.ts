import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type ComposeExtras, composeWith } from '../../src/worker/compose.ts';
import { newSecrets } from '../../src/worker/secrets.ts';
import { temporaryFolder } from '../rpc/fixtures/processes.ts';
import { settingsOf } from './fixtures/window-options.ts';

const wasm = readFileSync(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'));

describe('the composed service', function () {
  this.timeout(20_000);

  it('L3 lets go of its store also where the service fails to close, and nothing is lost', async () => {
    const home = temporaryFolder();
    try {
      const [folder, secrets] = [join(home.path, 'folder'), newSecrets()];
      const open = (extras: ComposeExtras) =>
        composeWith({ folder, secrets, settings: settingsOf('first'), wasm }, extras);
      const failing = await open({
        onTransport: (transport) => {
          const stop = transport.stop.bind(transport);
          transport.stop = async () => {
            await stop();
            throw new Error('a socket that does not close');
          };
        },
      });
      await failing.api.createWorkspace({ name: 'Apollo' });
      await assert.rejects(failing.close(), /a socket that does not close/);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('lock-')),
        [],
      );
      const next = await open({});
      assert.deepEqual(
        (await next.api.workspaces()).map(({ name }) => name),
        ['Apollo'],
      );
      await next.close();
    } finally {
      home.remove();
    }
  });
});
