// A real VS Code and a browser to drive it with, for machines that can reach a package registry and nothing else.
// code-server holds VS Code's own server and workbench. Desktop VS Code needs a download of its own: `npm run test:desktop`.
import { existsSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../lib/cache.mjs';
import { nodeBinary, nodePackage } from '../lib/node-binary.mjs';
import { mustRun, run } from '../lib/run.mjs';

const CODE_SERVER = '4.139.1'; // VS Code 1.139.1

// Counted up when what is done with it below changes.
const RECIPE = 2;

const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

export interface CodeServer {
  /** The Node it runs under. */
  readonly node: string;
  /** Its entry script. */
  readonly entry: string;
}

export async function codeServer(): Promise<CodeServer> {
  if (process.platform === 'win32') {
    throw new Error('code-server does not run on Windows: install desktop VS Code, so that `code` is on the path.');
  }
  const folder = await cached(
    `code-server-${CODE_SERVER}-${RECIPE}-${process.platform}-${process.arch}`,
    installCodeServer,
  );
  return { node: await nodeBinary(), entry: join(folder, 'node_modules/code-server/out/node/entry.js') };
}

async function installCodeServer(folder: string): Promise<void> {
  console.error(`Getting VS Code (code-server ${CODE_SERVER}) into the cache (once, about two minutes) ...`);
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: { 'code-server': CODE_SERVER } }),
  );
  // No scripts: its postinstall asks for one exact Node and compiles seven native modules, of which we want one.
  await mustRun('npm', ['install', '--prefix', folder, ...quietly], { cwd: folder, capture: true });
  const vscode = join(folder, 'node_modules/code-server/lib/vscode');
  // VS Code's own dependencies, as the postinstall would. Not `npm ci`: the shipped shrinkwrap lacks one entry.
  await mustRun('npm', ['install', '--omit=dev', ...quietly], { cwd: vscode, capture: true });
  // And those of its built-in extensions: the TypeScript that they give language features with.
  const extensions = join(vscode, 'extensions');
  await mustRun('npm', ['install', '--omit=dev', ...quietly], { cwd: extensions, capture: true });
  await buildLogWriter(vscode);
  for (const path of unused) rmSync(join(vscode, path), { recursive: true, force: true });
}

/** Without @vscode/spdlog VS Code writes no log files and its log channels stay empty; everything else works. */
async function buildLogWriter(vscode: string): Promise<void> {
  const node = await nodePackage();
  const env = { PATH: `${join(node, 'bin')}:${process.env['PATH']}`, npm_config_nodedir: node };
  const { code } = await run('npm', ['rebuild', '@vscode/spdlog', '--loglevel=error'], {
    cwd: vscode,
    env,
    capture: true,
  });
  if (code !== 0) console.error('No compiler here (python3, make, g++): VS Code will run, but write no log files.');
}

// What an offline VS Code never uses: AI runtime, sandboxes, other systems' binaries.
const unused = [
  'extensions/copilot',
  'node_modules/@github',
  'node_modules/@microsoft/mxc-sdk',
  'node_modules/@devcontainers',
  'node_modules/@vscode/windows-process-tree',
  'node_modules/node-pty/prebuilds/win32-x64',
  'node_modules/node-pty/prebuilds/win32-arm64',
  'node_modules/@vscode/ripgrep-universal/bin/win32-x64',
  'node_modules/@vscode/ripgrep-universal/bin/win32-arm64',
];

const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Path of a Chromium or Chrome; Debian's is installed where we may. `COTERIE_BROWSER` names another. */
export async function browser(): Promise<string> {
  const named = process.env['COTERIE_BROWSER'];
  if (named !== undefined) return named;
  const found = browsers.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const mayInstall = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!mayInstall) {
    throw new Error(
      'The end-to-end tests drive VS Code in Chromium, and there is none here. ' +
        'Install chromium (or Google Chrome), or name one in COTERIE_BROWSER, and try again.',
    );
  }
  console.error('Installing chromium (once) ...');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await mustRun('apt-get', ['update', '-qq'], { capture: true });
  const packages = ['chromium', 'fonts-dejavu-core', 'fonts-noto-color-emoji'];
  await mustRun('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, capture: true });
  return '/usr/bin/chromium';
}
