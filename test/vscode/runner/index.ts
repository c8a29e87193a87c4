// Entry point that VS Code's extension host calls: run() rejects to fail the run. Bundled beside the tests, which it finds by name.
import Mocha from 'mocha';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export function run(): Promise<void> {
  const { COTERIE_TEST_RESULTS: output, COTERIE_TEST_GREP: grep } = process.env;
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: 30_000,
    reporter: 'json',
    reporterOptions: { output },
    ...(grep === undefined ? {} : { grep }),
  });
  for (const name of readdirSync(here)) if (name.endsWith('.test.cjs')) mocha.addFile(join(here, name));
  return new Promise((resolve, reject) => {
    mocha.run((failures) => (failures === 0 ? resolve() : reject(new Error(`${failures} tests failed`))));
  });
}
