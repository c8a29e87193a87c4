// npm start [-- --fresh]: Coterie to look at. A relay on this machine, and Alice and Bob, each in a VS Code of their own.
// A second start finds everything where the first left it; --fresh begins again. Ctrl-C ends all of it.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { out, root } from './lib/project.mjs';
import { mustRun } from './lib/run.mjs';

const { values } = parseArgs({ options: { fresh: { type: 'boolean', default: false } } });
const state = join(out, 'start');
const vsix = join(out, 'coterie.vsix');

if (values.fresh) rmSync(state, { recursive: true, force: true });
mkdirSync(state, { recursive: true });
if (!existsSync(join(root, 'node_modules'))) {
  console.log('Installing what the build needs ...');
  await mustRun('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
}
console.log('Building and packaging ...');
await mustRun(process.execPath, ['scripts/package.ts'], { cwd: root, capture: true, timeout_s: 180 });

// Only now: these may need what npm has just installed.
const { LocalRelay } = await import('./start/relay.ts');
const { openVSCode } = await import('./start/people.ts');
const { developmentSecrets, preshare } = await import('./start/preshare.ts');

let ending = false;
const relay = new LocalRelay(join(state, 'relay'));
await relay.start(() => {
  if (!ending) console.log('The relay has ended; Alice and Bob go on directly.');
});
const people = ['Alice', 'Bob'].map((name) => {
  const home = join(state, name.toLowerCase());
  const store = join(home, 'data/User/globalStorage/coterie.coterie');
  return { name, home, store, secrets: join(home, 'development-secrets.json') };
});
const [alice, bob] = people;
if (alice === undefined || bob === undefined) throw new Error('There are two people.');
console.log('Sharing "Apollo" ...');
await preshare({ state, relay: relay.address, sample: join(root, 'src', 'base'), alice, bob });

const windows = await Promise.all(
  people.map(async (person) => {
    const settings = { 'coterie.relay': relay.address, 'coterie.displayName': person.name };
    const env = developmentSecrets(person);
    return { name: person.name, ...(await openVSCode({ name: person.name, state: person.home, vsix, settings, env })) };
  }),
);

console.log('\nAlice and Bob share the workspace "Apollo". Look under the Coterie icon in the activity bar.');
for (const { name, where } of windows) console.log(`  ${name.padEnd(6)} ${where}`);
console.log(`  relay  ${relay.address}`);
console.log(`Their data is in ${state}; npm start -- --fresh begins again.\nCtrl-C ends all of it.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  console.log('\nClosing ...');
  await Promise.all(windows.map(({ close }) => close()));
  await relay.stop();
  process.exit(0);
}
