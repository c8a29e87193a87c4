// npm run unit [-- FILES or mocha options]: unit and contract tests, straight from source, no build.
import { join } from 'node:path';
import { run } from './lib/run.mjs';
import { root } from './lib/project.mjs';

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const { code } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', mocha, ...process.argv.slice(2)], { cwd: root });
process.exit(code);
