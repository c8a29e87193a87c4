// node scripts/node24.mjs SCRIPT [ARGUMENTS]: runs a script under Node 24, whatever Node this machine has.
// Tests, relay and benchmarks are TypeScript that Node 24 runs as it is, and the relay's store is node:sqlite.
import { spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { nodeBinary } from './lib/node-binary.mjs';

const [script, ...args] = process.argv.slice(2);
const node = await nodeBinary();
const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...args], {
  stdio: 'inherit',
  // First in the path, so that what the script starts (npm, mocha, tsc) runs under the same Node.
  env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH']}` },
});
// The terminal sends Ctrl-C to both: the script decides when to end, we only wait. A signal sent to us alone is passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
