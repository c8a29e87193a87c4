// npm run relay [-- OPTIONS]: a relay of your own, on this machine, with one command.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/project.mjs';
import { mustRun } from './lib/run.mjs';

const program = join(root, 'dist', 'relay.cjs');
if (!existsSync(program)) {
  if (!existsSync(join(root, 'node_modules'))) await mustRun('npm', ['ci'], { cwd: root });
  await mustRun(process.execPath, ['esbuild.mjs'], { cwd: root, timeout_s: 120 });
}
// In this process: Ctrl-C and a service manager's signals reach the relay itself.
process.argv = [process.execPath, program, ...process.argv.slice(2)];
await import(program);
