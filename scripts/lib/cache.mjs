// What a fresh clone should not pay for again (Node 24, code-server) lives in one folder of the user's, outside the project.
import { mkdirSync, existsSync, rmSync, renameSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** `COTERIE_CACHE`, or `coterie-dev` in the user's cache folder. */
export const cacheFolder =
  process.env['COTERIE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'coterie-dev');

/**
 * The folder `name` in the cache, made by `build(folder)` where it is not there yet.
 *
 * `build` works in a folder beside it that is renamed when whole, so the name itself is the done-stamp: an install that was
 * interrupted is never taken for a finished one. Two runs at once do not install twice: the second waits for the first.
 *
 * @param {string} name
 * @param {(folder: string) => Promise<void>} build
 * @returns {Promise<string>}
 */
export async function cached(name, build) {
  const done = join(cacheFolder, name);
  if (existsSync(done)) return done;
  mkdirSync(cacheFolder, { recursive: true });
  const release = await lock(`${done}.lock`);
  try {
    if (existsSync(done)) return done;
    const partial = `${done}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial);
    await build(partial);
    renameSync(partial, done);
    return done;
  } finally {
    release();
  }
}

/**
 * A lock that outlives no process: it holds its owner's id, and a dead owner's lock is taken over.
 * @param {string} file
 */
async function lock(file) {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isAlive(ownerOf(file))) rmSync(file, { force: true });
      else await sleep(500);
    }
  }
}

/** @param {string} file */
function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  // Zero: the owner has made the file and not yet written into it, or the file has just gone. Both pass by themselves.
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
