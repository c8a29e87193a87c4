// Child processes: run to the end, with a time limit, and never leave a grandchild behind.
import { spawn } from 'node:child_process';

const windows = process.platform === 'win32';

/** @type {readonly NodeJS.Signals[]} */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Record<string, string | undefined>} [env] added to ours
 * @property {boolean} [capture] keep the output instead of showing it
 * @property {number} [timeout_s]
 */

/**
 * Runs a program to its end. Rejects only if it cannot be started.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string, timedOut: boolean }>}
 */
export function run(program, args, { cwd, env, capture = false, timeout_s = 600 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
      // npm is a .cmd on Windows, which only a shell can start.
      shell: windows && !program.endsWith('.exe'),
      // Its own process group: one signal then ends whatever it has started, too.
      detached: !windows,
    });
    let output = '';
    let timedOut = false;
    child.stdout?.on('data', (data) => (output += data));
    child.stderr?.on('data', (data) => (output += data));
    const end = () => killGroup(child);
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, timeout_s * 1000);
    process.once('exit', end);
    // In a group of its own the child does not hear the terminal's Ctrl-C: we do, and take it along.
    const endWithUs = () => process.exit(130);
    for (const signal of endings) process.once(signal, endWithUs);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      process.removeListener('exit', end);
      for (const signal of endings) process.removeListener(signal, endWithUs);
      if (timedOut) output += `\n${program} was stopped after ${timeout_s} s.\n`;
      resolve({ code: timedOut ? 124 : (code ?? 1), output, timedOut });
    });
  });
}

/**
 * Like `run`, for steps that must succeed: throws with the output.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export async function mustRun(program, args, options = {}) {
  const { code, output } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed (${code}).\n${output}`);
  return output;
}

/**
 * KILL, not TERM: some parents wait for a child that the same signal has already ended.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} [signal]
 */
export function killGroup(child, signal = 'SIGKILL') {
  if (child.pid === undefined) return;
  try {
    if (windows) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}
