import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { SecretsDoor } from '../../src/rpc/owner-worker.ts';
import { serviceErrorOf } from '../../src/rpc/service-failure.ts';
import { storeExists } from '../../src/rpc/store-presence.ts';
import { type ConnectOptions, connectService, type WindowService } from '../../src/rpc/window.ts';
import type { DeviceSecrets, ServiceEvent } from '../../src/service/api.ts';
import { phraseOfSeed } from '../../src/service/recovery-phrase.ts';
import { areSecrets, newSecrets } from '../../src/worker/secrets.ts';
import { temporaryFolder, TestProcess } from '../rpc/fixtures/processes.ts';
import { fileSecrets, optionsFor, settingsOf } from './fixtures/window-options.ts';

const WINDOW = join(import.meta.dirname, 'fixtures', 'window-process.ts');
/** The real service, on a store with its lock, in a thread that can be told to crash. */
const ON_A_STORE = {
  workerPath: join(import.meta.dirname, 'fixtures', 'store-worker.ts'),
  wasmPath: createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'),
};
const TAKEOVER_MS = 2_000;

describe('a window’s service', function () {
  this.timeout(30_000);
  let home: ReturnType<typeof temporaryFolder>;
  let windows: WindowService[];
  let processes: TestProcess[];
  beforeEach(() => {
    home = temporaryFolder();
    windows = [];
    processes = [];
  });
  afterEach(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await Promise.allSettled(windows.map((window) => window.dispose()));
    home.remove();
  });

  const connect = async (name: string, change: Partial<ConnectOptions> = {}) => {
    const window = await connectService({ ...optionsFor(home.path, name), ...change });
    windows.push(window);
    return window;
  };
  const windowProcess = async (name: string, more: readonly string[] = []) => {
    const process = new TestProcess(WINDOW, [home.path, name, ...more]);
    processes.push(process);
    return { process, role: await process.next('role') };
  };
  const log = () => {
    const path = join(home.path, 'folder', 'log');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  };
  const failure = async (promise: Promise<unknown>) => {
    try {
      await promise;
    } catch (error) {
      const { code, detail } = serviceErrorOf(error)!;
      return { code, detail };
    }
    throw new assert.AssertionError({ message: 'it was to fail' });
  };
  const eventOf = (window: WindowService, type: ServiceEvent['type']) =>
    new Promise<ServiceEvent>((resolve) => {
      const subscription = window.events((event) => {
        if (event.type !== type) return;
        subscription.dispose();
        resolve(event);
      });
    });
  const locks = () => readdirSync(join(home.path, 'folder')).filter((name) => name.startsWith('lock-'));
  const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).sort();
  const closeOf = (window: WindowService) => new Promise<Error | undefined>((resolve) => window.onClosed(resolve));

  describe('secrets', () => {
    it('I2 new ones are kept by the window before the store is there', async () => {
      const folder = join(home.path, 'folder');
      const door = fileSecrets(home.path);
      const steps: string[] = [];
      const secrets: SecretsDoor = {
        read: () => (steps.push(`read, store ${existsSync(join(folder, 'store'))}`), door.read()),
        write: async (fresh) => {
          steps.push(`write, store ${existsSync(join(folder, 'store'))}`);
          assert.ok(areSecrets(fresh));
          await door.write(fresh);
        },
      };
      assert.equal(await storeExists(folder), false);
      await connect('first', { secrets });
      assert.deepEqual(steps, ['read, store false', 'write, store false', 'read, store false']);
      assert.equal(await storeExists(folder), true);
      const kept = (await door.read())!;
      assert.equal(new Set(Object.values(kept)).size, 4);
      assert.equal(readFileSync(join(folder, 'store'), 'utf8'), `key ${kept.storeKey} wasm 4`);
    });

    it('I2 those that are there are used and never overwritten', async () => {
      const mine = newSecrets();
      const secrets: SecretsDoor = { read: async () => mine, write: () => assert.fail('never') };
      await connect('first', { secrets });
      assert.ok(readFileSync(join(home.path, 'folder', 'store'), 'utf8').startsWith(`key ${mine.storeKey} `));
    });

    it('I2 a store whose secrets are gone is locked, and stays as it was', async () => {
      const folder = join(home.path, 'folder');
      mkdirSync(folder);
      writeFileSync(join(folder, 'store'), 'sealed');
      const written: DeviceSecrets[] = [];
      const door = (found: unknown): SecretsDoor => ({
        read: async () => found as DeviceSecrets | undefined,
        write: async (secrets) => void written.push(secrets),
      });
      assert.deepEqual(await failure(connect('first', { secrets: door(undefined) })), {
        code: 'locked',
        detail: { reason: 'missing' },
      });
      for (const damaged of [{}, 'text', { ...newSecrets(), storeKey: 'short' }]) {
        assert.deepEqual(await failure(connect('first', { secrets: door(damaged) })), {
          code: 'locked',
          detail: { reason: 'secrets' },
        });
      }
      assert.equal(readFileSync(join(folder, 'store'), 'utf8'), 'sealed');
      assert.deepEqual(written, []);
    });

    it('I2 a locked store goes aside at the person’s word, and a new one begins, of the account that he has the phrase of', async () => {
      const folder = join(home.path, 'folder');
      mkdirSync(folder);
      writeFileSync(join(folder, 'store'), 'sealed');
      const seed = new Uint8Array(32).fill(7);
      const begin = (beside: ConnectOptions['beside']) => connect('first', beside ? { beside } : {});
      assert.deepEqual((await failure(begin(undefined))).code, 'locked');
      const slip = phraseOfSeed(seed).replace(/^\w+/, 'qwerty');
      assert.deepEqual((await failure(begin({ phrase: slip }))).detail['reason'], 'word');
      assert.equal(readFileSync(join(folder, 'store'), 'utf8'), 'sealed');
      assert.equal(await fileSecrets(home.path).read(), undefined);

      await begin({ phrase: phraseOfSeed(seed) });
      const kept = (await fileSecrets(home.path).read())!;
      assert.equal(kept.accountSeed, Buffer.from(seed).toString('base64url'));
      assert.equal(readFileSync(join(folder, 'store'), 'utf8'), `key ${kept.storeKey} wasm 4`);
      assert.equal(readFileSync(join(folder, 'aside-1', 'store'), 'utf8'), 'sealed');
    });

    it('I2 nothing goes aside that is not locked', async () => {
      await connect('first');
      const kept = await fileSecrets(home.path).read();
      await windows[0]!.dispose();
      await connect('second', { beside: {} });
      assert.deepEqual(await fileSecrets(home.path).read(), kept);
      assert.equal(existsSync(join(home.path, 'folder', 'aside-1')), false);
    });

    it('I2 secrets of another account reach the window before the service goes on with them', async () => {
      const window = await connect('first');
      const before = (await fileSecrets(home.path).read())!;
      await window.api.restoreAccount('another account');
      const after = (await fileSecrets(home.path).read())!;
      assert.notEqual(after.accountSeed, before.accountSeed);
      assert.equal(after.storeKey, before.storeKey);
    });

    it('I2 a secret storage that does not keep them, or fails, means no store', async () => {
      const forgetful: SecretsDoor = { read: async () => undefined, write: async () => undefined };
      const unwilling: SecretsDoor = { ...forgetful, write: () => Promise.reject(new Error('no keyring')) };
      const deaf: SecretsDoor = { ...forgetful, read: () => Promise.reject(new Error('no keyring')) };
      for (const [secrets, reason] of [
        [forgetful, 'notKept'],
        [unwilling, 'notKept'],
        [deaf, 'secrets'],
      ] as const) {
        assert.deepEqual(await failure(connect('first', { secrets })), { code: 'locked', detail: { reason } });
        assert.equal(await storeExists(join(home.path, 'folder')), false);
      }
    });

    it('are in no argument, environment or record', async () => {
      await connect('first');
      const kept = Object.values((await fileSecrets(home.path).read())!) as string[];
      const owner = join(home.path, 'folder', 'owner', '1', 'record');
      const places = [process.argv.join(' '), JSON.stringify(process.env), readFileSync(owner, 'utf8')];
      for (const place of places) for (const secret of kept) assert.equal(place.includes(secret), false);
    });
  });

  describe('owner', () => {
    it('serves calls and events from its worker', async () => {
      const window = await connect('first');
      assert.equal(window.role, 'owner');
      const changed = eventOf(window, 'workspaces');
      assert.equal(await window.api.createWorkspace({ name: 'Apollo' }), 'id of Apollo');
      await changed;
      const bytes = await window.api.read('w', 't', '/file', { offset: 3, length: 5_000_000 });
      assert.deepEqual([bytes.length, bytes[4_999_999]], [5_000_000, 3]);
      assert.equal(
        await window.api.write('w', 't', '/file', Buffer.from([1, 2, 3]), { create: true, overwrite: true }),
        'Uint8Array 3 3',
      );
      assert.deepEqual(await failure(window.api.read('w', 't', '/none')), {
        code: 'notFound',
        detail: { path: '/none' },
      });
      assert.deepEqual(await failure(window.api.deleteTool('w', 't')), { code: 'internal', detail: {} });
    });

    it('dispose flushes everything, and says where that failed', async () => {
      const window = await connect('first');
      const closed = closeOf(window);
      await window.dispose();
      assert.equal(await closed, undefined);
      assert.deepEqual(log(), ['flushed']);
      assert.equal((await failure(window.api.identity())).code, 'stopped');
      await window.dispose();
      const failing = await connect('cannot flush');
      assert.equal(failing.role, 'owner');
      assert.equal((await failure(failing.dispose())).code, 'diskFull');
    });

    it('a call that never ends keeps no window from closing', async () => {
      const window = await connect('first');
      const accepted = eventOf(window, 'joined');
      const hanging = failure(window.api.createWorkspace({ name: 'hang' }));
      await accepted;
      const before = performance.now();
      await window.dispose();
      assert.ok(performance.now() - before < 3_000);
      assert.equal((await hanging).code, 'stopped');
      assert.deepEqual(log(), ['flushed']);
    });

    it('an exception that nobody catches in the worker closes the service, not the host', async () => {
      const window = await connect('first');
      const guest = await connect('second');
      const [taken, closed] = [eventOf(guest, 'workspaces'), closeOf(window)];
      const pending = failure(window.api.makeFolder('w', 't', '/a').then(() => window.api.addTool('w', 'chat', '')));
      const error = serviceErrorOf(await closed)!;
      assert.deepEqual([error.code, error.detail], ['internal', { reason: 'crashed' }]);
      assert.equal((await pending).code, 'internal');
      await taken;
      assert.equal(guest.role, 'owner');
    });

    for (const how of ['throws', 'exits']) {
      const crash = async (window: WindowService) => {
        const closed = closeOf(window);
        const pending = failure(window.api.renameDevice('', how));
        await closed;
        await pending;
      };

      it(`L3 a worker that ${how} leaves the store to the next one of its process, with all that is in it`, async () => {
        const first = await connect('first', ON_A_STORE);
        await first.api.createWorkspace({ name: 'Apollo' });
        await crash(first);
        const second = await connect('second', ON_A_STORE);
        assert.equal(second.role, 'owner');
        assert.deepEqual(namesOf(await second.api.workspaces()), ['Apollo']);
        await second.api.createWorkspace({ name: 'Gemini' });
        await crash(second);
        const third = await connect('third', ON_A_STORE);
        assert.deepEqual(namesOf(await third.api.workspaces()), ['Apollo', 'Gemini']);
        assert.equal(locks().length, 1);
      });

      it(`L3 a worker that ${how} leaves the store to a window of another process, while its own lives on`, async () => {
        const first = await connect('first', ON_A_STORE);
        const { process, role } = await windowProcess('second', Object.values(ON_A_STORE));
        assert.equal(role, 'guest');
        await first.api.createWorkspace({ name: 'Apollo' });
        await crash(first);
        process.send('names');
        const answer = await Promise.race([process.next('names'), process.next('closed')]);
        assert.deepEqual(answer, ['owner', 'Apollo']);
        assert.equal(locks().length, 1);
        // The thread that is gone has nothing to say of the one that has come after it.
        const again = await connect('first', ON_A_STORE);
        assert.deepEqual([again.role, namesOf(await again.api.workspaces())], ['guest', ['Apollo']]);
      });
    }

    it('L3 a worker that crashes while it opens the store leaves it to the next', async () => {
      const settings = settingsOf('throws while it opens');
      assert.deepEqual(await failure(connect('first', { ...ON_A_STORE, settings })), {
        code: 'internal',
        detail: { reason: 'crashed' },
      });
      assert.deepEqual(locks(), []);
      assert.equal((await connect('second', ON_A_STORE)).role, 'owner');
    });

    it('what keeps the store from opening is said, and the store is free again', async () => {
      assert.deepEqual(await failure(connect('cannot open')), { code: 'storeFailed', detail: { reason: 'damaged' } });
      const wasmPath = join(home.path, 'nowhere');
      assert.deepEqual(await failure(connect('first', { wasmPath })), {
        code: 'storeFailed',
        detail: { reason: 'ENOENT' },
      });
      assert.equal((await connect('first')).role, 'owner');
    });
  });

  describe('guests', () => {
    it('L3 one window owns, the others work through it', async () => {
      const roles = (await Promise.all(['a', 'b', 'c', 'd'].map((name) => connect(name)))).map(({ role }) => role);
      assert.deepEqual(roles.sort(), ['guest', 'guest', 'guest', 'owner']);
      const names = await Promise.all(windows.map(async ({ api }) => (await api.identity()).name));
      assert.equal(new Set(names).size, 1);
      const guest = windows.find(({ role }) => role === 'guest')!;
      const changed = Promise.all(windows.map((window) => eventOf(window, 'workspaces')));
      await guest.api.createWorkspace({ name: 'Apollo' });
      await changed;
      assert.deepEqual(log(), ['created Apollo']);
    });

    it('another build is refused with both versions', async () => {
      await connect('first');
      const workerPath = join(import.meta.dirname, 'fixtures', 'newer-worker.ts');
      const refused = await failure(connect('second', { workerPath }));
      assert.deepEqual([refused.code, refused.detail['reason']], ['inUse', 'version']);
      assert.notEqual(refused.detail['ours'], refused.detail['theirs']);
    });

    it('L3 the store of a stalled owner is in use', async () => {
      const { process } = await windowProcess('first');
      process.child.kill('SIGSTOP');
      assert.deepEqual(await failure(connect('second', { stalledAfter_ms: 300 })), {
        code: 'inUse',
        detail: { reason: 'stalled' },
      });
      process.child.kill('SIGCONT');
      assert.equal((await connect('second')).role, 'guest');
    });

    it('L3 a guest says that its owner has stopped answering, robs it not, and goes on with it', async () => {
      const { process } = await windowProcess('first');
      const guest = await connect('second', { stalledAfter_ms: 400 });
      const states: string[] = [];
      const until = (state: string) =>
        new Promise<void>((resolve) => guest.onOwner((now) => (states.push(now), now === state && resolve())));
      const stalled = until('stalled');
      process.child.kill('SIGSTOP');
      const created = guest.api.createWorkspace({ name: 'Apollo' });
      await stalled;
      assert.equal(guest.role, 'guest');
      process.child.kill('SIGCONT');
      assert.equal(await created, 'id of Apollo');
      assert.deepEqual([guest.role, states, log()], ['guest', ['stalled', 'answers'], ['created Apollo']]);
    });

    it('L3 when the owner is killed, a guest takes over within 2 s and its pending call is answered once', async () => {
      const { process, role } = await windowProcess('first');
      assert.equal(role, 'owner');
      const guest = await connect('second');
      assert.equal(guest.role, 'guest');
      const [taken, accepted] = [eventOf(guest, 'workspaces'), eventOf(guest, 'joined')];
      let answers = 0;
      const created = guest.api.createWorkspace({ name: 'hang on' }).finally(() => answers++);
      const importing = failure(guest.api.importPaths('w', 't', '/', ['/a'], 'op'));
      await guest.api.configure(settingsOf('renamed'));
      await accepted;
      assert.equal(answers, 0);
      const before = performance.now();
      await process.kill();
      assert.equal((await importing).code, 'stopped');
      assert.equal(await created, 'id of hang on');
      const took = performance.now() - before;
      assert.ok(took < TAKEOVER_MS, `${took} ms`);
      await taken;
      assert.equal(guest.role, 'owner');
      assert.equal((await guest.api.identity()).name, 'renamed', 'with the settings of now');
      await guest.dispose();
      assert.deepEqual([answers, log()], [1, ['created hang on', 'flushed']]);
    });

    it('L3 of several guests one takes over, and the others become its guests', async () => {
      const { process } = await windowProcess('first');
      const guests = await Promise.all(['a', 'b', 'c', 'd'].map((name) => connect(name)));
      const calls = guests.map((guest, i) => guest.api.createWorkspace({ name: `hang ${i}` }));
      await guests[0]!.api.identity();
      await process.kill();
      assert.deepEqual(
        await Promise.all(calls),
        [0, 1, 2, 3].map((i) => `id of hang ${i}`),
      );
      await Promise.all(guests.map((guest) => guest.api.identity()));
      assert.deepEqual(guests.map(({ role }) => role).sort(), ['guest', 'guest', 'guest', 'owner']);
      assert.deepEqual(
        log().sort(),
        [0, 1, 2, 3].map((i) => `created hang ${i}`),
      );
    });

    it('L3 an owner that closes lets go only when flushed; calls that it leaves are the next one’s', async () => {
      const { process } = await windowProcess('first');
      const guest = await connect('second');
      const stopped = guest.api.addTool('w', 'chat', 'a');
      const created = guest.api.createWorkspace({ name: 'before' });
      await created;
      const taken = eventOf(guest, 'workspaces');
      process.send('dispose');
      await process.exited;
      assert.equal(process.child.exitCode, 0);
      await guest.api.createWorkspace({ name: 'after' });
      await taken;
      assert.equal(guest.role, 'owner');
      assert.deepEqual(log(), ['created before', 'flushed', 'created after']);
      const ended = failure(stopped);
      await guest.dispose();
      assert.equal((await ended).code, 'stopped');
    });

    it('a guest that leaves takes nothing along', async () => {
      const owner = await connect('first');
      const guest = await connect('second');
      await guest.dispose();
      assert.equal(owner.role, 'owner');
      assert.equal((await owner.api.identity()).name, 'first');
      assert.deepEqual(log(), []);
    });

    it('dispose during a takeover leaves no worker behind', async () => {
      const { process } = await windowProcess('first');
      const guest = await connect('second');
      await process.kill();
      const closed = closeOf(guest);
      await guest.dispose();
      assert.equal(await closed, undefined);
      assert.equal((await connect('third')).role, 'owner');
    });

    it('a store can be moved while nobody has it', async () => {
      await (await connect('first')).dispose();
      cpSync(join(home.path, 'folder'), join(home.path, 'moved'), { recursive: true });
      assert.equal((await connect('second')).role, 'owner');
      assert.equal((await connect('third', { folder: join(home.path, 'moved') })).role, 'owner');
    });
  });
});
