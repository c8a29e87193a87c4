// npm run package: out/coterie.vsix, built from nothing and minified.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { out, root } from './lib/project.mjs';
import { mustRun } from './lib/run.mjs';

const LIMIT_BYTES = 3_000_000;

await mustRun(process.execPath, ['esbuild.mjs', '--minify'], { cwd: root, capture: true, timeout_s: 120 });

const { createVSIX } = await import('@vscode/vsce');
mkdirSync(out, { recursive: true });
const packagePath = join(out, 'coterie.vsix');
await createVSIX({
  cwd: root,
  packagePath,
  dependencies: false,
  allowMissingRepository: true,
  rewriteRelativeLinks: false,
});

const { size } = statSync(packagePath);
console.log(`${packagePath}: ${(size / 1e6).toFixed(2)} MB`);
if (size > LIMIT_BYTES) throw new Error(`The package is larger than ${LIMIT_BYTES / 1e6} MB.`);
