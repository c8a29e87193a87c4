import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  entry: [
    'src/extension.ts',
    'src/{worker,relay,member}/main.ts',
    'src/webviews/*/main.ts',
    'test/**/*.test.ts',
    'test/vscode/*.test.ts',
    'test/vscode/runner/index.ts',
    'test/e2e/pictures.ts',
    // Programs that tests start by path.
    'test/**/fixtures/*.ts',
    'bench/*.ts',
    'scripts/*.{ts,mjs}',
    'scripts/lib/counting-reporter.cjs',
    'types/*.d.ts',
  ],
  project: ['src/**', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**'],
  // An exported type is often the documentation of a function beside it.
  exclude: ['types', 'enumMembers'],
  ignoreExportsUsedInFile: true,
};

export default config;
