// npm run unit [-- FILES and options of mocha]: unit and contract tests, straight from source, no build.
import { root, tool } from './lib/project.mjs';
import { run } from './lib/run.mjs';
import { unitTests } from './test/suites.ts';

const given = process.argv.slice(2);
const files = given.some((argument) => argument.endsWith('.ts')) ? [] : unitTests();
const args = ['--disable-warning=ExperimentalWarning', tool('mocha', 'bin', 'mocha.js'), ...given, ...files];
const { code } = await run(process.execPath, args, { cwd: root, timeout_s: 1800 });
process.exit(code);
