// npm run unit [-- FILES or mocha options]: unit and contract tests, straight from source, no build.
import { run } from './lib/run.mjs';
import { root, tool } from './lib/project.mjs';

const args = ['--disable-warning=ExperimentalWarning', tool('mocha', 'bin', 'mocha.js'), ...process.argv.slice(2)];
const { code } = await run(process.execPath, args, { cwd: root, timeout_s: 1800 });
process.exit(code);
