// Builds everything that ships, and the tests that run inside VS Code. What has no source yet is skipped.
//   node esbuild.mjs [--minify] [--watch]
import { context } from 'esbuild';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';

const minify = process.argv.includes('--minify');
const watch = process.argv.includes('--watch');

const node = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // ws looks for these two native helpers and does without; vscode is the host's; node:sqlite is newer than esbuild's list.
  external: ['vscode', 'bufferutil', 'utf-8-validate', 'node:sqlite'],
  // CommonJS has no import.meta: source that wants its own place on disk (the worker, the wasm) gets it from here.
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  minify,
  // Beside the bundle; .vscodeignore keeps it out of the package.
  sourcemap: true,
  logLevel: 'warning',
};

const browser = {
  bundle: true,
  platform: 'browser',
  format: 'iife',
  target: 'chrome128',
  loader: { '.svg': 'dataurl' },
  minify,
  sourcemap: true,
  logLevel: 'warning',
};

const programs = {
  'src/extension.ts': 'dist/extension.cjs',
  'src/worker/main.ts': 'dist/worker.cjs',
  'src/relay/main.ts': 'dist/relay.cjs',
  'src/member/main.ts': 'dist/member.cjs',
};

// Only what ships starts from nothing: a build for tests must not pull files away under another one that runs.
if (minify) rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });
copyFileSync('node_modules/sql.js/dist/sql-wasm.wasm', 'dist/sql-wasm.wasm');

const builds = [
  ...Object.entries(programs)
    .filter(([entry]) => existsSync(entry))
    .map(([entry, outfile]) => ({ ...node, entryPoints: [entry], outfile })),
  ...foldersIn('src/webviews')
    .filter((name) => existsSync(`src/webviews/${name}/main.ts`))
    // The panel's style sheet is imported by its main.ts and comes out beside it, as main.css.
    .map((name) => ({
      ...browser,
      entryPoints: [`src/webviews/${name}/main.ts`],
      outfile: `dist/webviews/${name}/main.js`,
    })),
  ...testsInHost(),
];

// Each for itself: what can be built is, and esbuild has said what is wrong with the rest.
const results = await Promise.allSettled(builds.map(build));
if (results.some(({ status }) => status === 'rejected')) process.exitCode = 1;

async function build(options) {
  const builder = await context(options);
  if (watch) return builder.watch();
  // An undisposed builder keeps the process alive, also after a failure.
  await builder.rebuild().finally(() => builder.dispose());
}

function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

/** Tests inside the extension host: a bundle per file, so that a failure names it; mocha is loaded from node_modules. */
function testsInHost() {
  if (!existsSync('test/vscode')) return [];
  const tests = readdirSync('test/vscode').filter((name) => name.endsWith('.test.ts'));
  const entryPoints = [
    { in: 'test/vscode/runner/index.ts', out: 'index' },
    // A process that a test starts.
    { in: 'test/vscode/fixtures/inviter.ts', out: 'inviter' },
    ...tests.map((name) => ({ in: `test/vscode/${name}`, out: name.slice(0, -'.ts'.length) })),
  ];
  const external = [...node.external, 'mocha'];
  return [
    {
      ...node,
      entryPoints,
      outdir: 'out-test',
      outExtension: { '.js': '.cjs' },
      external,
      minify: false,
      sourcemap: 'inline',
    },
  ];
}
