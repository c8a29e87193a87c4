// npm run test:desktop: the suite inside the extension host, in desktop VS Code. Downloads one, so it is not part of npm test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { out, root } from './lib/project.mjs';
import { mustRun } from './lib/run.mjs';

await mustRun(process.execPath, ['esbuild.mjs'], { cwd: root, timeout_s: 120 });
const results = join(out, 'desktop.json');
await runTests({
  extensionDevelopmentPath: root,
  extensionTestsPath: join(root, 'out-test', 'index.cjs'),
  extensionTestsEnv: { COTERIE_TEST_RESULTS: results },
  launchArgs: ['--disable-extensions', '--disable-workspace-trust'],
});
const { stats } = JSON.parse(readFileSync(results, 'utf8')) as { stats: { passes: number; failures: number } };
console.log(`${stats.passes} passed, ${stats.failures} failed`);
