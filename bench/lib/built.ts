/**
 * What ships, and beside it the programs that stand in the place of a window, made in the same way. Source opens several times more
 * slowly, and the compiler that reads it would be in memory with it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { out, root } from '../../scripts/lib/project.mjs';
import { mustRun } from '../../scripts/lib/run.mjs';

export const dist = join(root, 'dist');
const windows = join(out, 'bench');

export async function built(): Promise<void> {
  await mustRun(process.execPath, ['esbuild.mjs', '--minify'], { cwd: root, capture: true, timeout_s: 120 });
  await build({
    entryPoints: ['open-window', 'ingest-window'].map((name) => join(root, 'bench', `${name}.ts`)),
    outdir: windows,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    // What a program imports when it is told to begin is not there before.
    splitting: true,
    minify: true,
    logLevel: 'warning',
  });
}

/** In a process of its own. */
export function startWindow(program: 'open-window' | 'ingest-window'): ChildProcess {
  return fork(join(windows, `${program}.mjs`));
}
