/**
 * Two writers never (L3): a claim is a file whose very name says who holds it, so that it is there whole or not at all.
 *
 *   lock-<host 8 hex>-<boot 8 hex>-<pid>-<start>-<thread>-<random 8 hex>
 *
 * First the own file is made, then the others are looked at: of two who come at once at least one sees the other and
 * steps back (both may; whoever elects the owner asks again). The file of a holder that is gone is removed:
 *
 * | the other's | gone when |
 * | --- | --- |
 * | host is another | its file was not touched for a minute (the holder touches it every 15 s) |
 * | boot is another | always: the machine was started anew |
 * | pid | no such process, or one that was started at another time |
 *
 * A thread that crashes leaves its file, and its process lives on. No name tells whether a thread has ended, so nobody judges by it: who
 * started the thread and has seen it end removes the file (`removeClaimsOf`). He may be a moment later than whoever is elected next, who
 * therefore has `patience_ms`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { threadId } from 'node:worker_threads';
import { DiskError, type Claim } from './disk.ts';

export interface ClaimOptions {
  /** How long a holder is waited for; without it, not at all. */
  readonly patience_ms?: number;
}

interface Holder {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
  readonly thread: number;
  readonly token: string;
}

const PREFIX = 'lock-';
const TOUCH_EVERY_MS = 15_000;
const FOREIGN_STALE_MS = 60_000;
const LOOK_AGAIN_MS = 25;
/** Clocks and process tables round differently. */
const SAME_START_MS = 3_000;

/** Claims of this thread. */
const held = new Set<string>();

export async function claimFolder(folder: string, { patience_ms = 0 }: ClaimOptions): Promise<Claim> {
  const deadline = performance.now() + patience_ms;
  for (;;) {
    const claim = await tryToClaim(folder);
    if (claim) return claim;
    if (performance.now() >= deadline) throw new DiskError('inUse', 'the folder has an owner');
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * Removes what a thread of this process has left behind. Only for who has seen that thread end: then nothing of it writes any more, and its
 * number is given to no other.
 */
export async function removeClaimsOf(folder: string, thread: number): Promise<void> {
  const me = await ourselves();
  for (const name of await fs.readdir(folder)) {
    const other = fromName(name);
    if (other && isOfThread(other, me, thread)) await fs.rm(`${folder}/${name}`, { force: true });
  }
}

/** A start that a clock has told moves when the clock is set: beside our own pid it could set us apart from the dead alone. */
function isOfThread(other: Holder, me: Holder, thread: number): boolean {
  const isOurs = other.host === me.host && other.boot === me.boot && other.pid === me.pid;
  return isOurs && other.thread === thread && (!other.start.startsWith('t') || other.start === me.start);
}

/** Undefined where somebody holds it. */
async function tryToClaim(folder: string): Promise<Claim | undefined> {
  const me = await ourselves();
  const name = toName(me);
  const path = `${folder}/${name}`;
  held.add(name);
  await fs.writeFile(path, '', { flag: 'wx', mode: 0o600 });
  const drop = async (): Promise<void> => {
    held.delete(name);
    await fs.rm(path, { force: true });
  };
  try {
    for (const other of await fs.readdir(folder)) {
      if (other === name || !other.startsWith(PREFIX)) continue;
      if (await isHeld(folder, other, me)) {
        await drop();
        return undefined;
      }
      await fs.rm(`${folder}/${other}`, { force: true });
    }
  } catch (error) {
    await drop();
    throw error;
  }
  const beat = setInterval(() => {
    const now = new Date();
    fs.utimes(path, now, now).catch(() => undefined);
  }, TOUCH_EVERY_MS);
  beat.unref();
  return {
    release: async () => {
      clearInterval(beat);
      await drop();
    },
  };
}

async function isHeld(folder: string, name: string, me: Holder): Promise<boolean> {
  if (held.has(name)) return true;
  const other = fromName(name);
  // Not a name of ours: nobody who holds it could have made it.
  if (!other) return false;
  if (other.host !== me.host) {
    const { mtimeMs } = await fs.stat(`${folder}/${name}`);
    return Date.now() - mtimeMs < FOREIGN_STALE_MS;
  }
  if (other.boot !== me.boot) return false;
  if (other.pid === me.pid) return sameStart(other.start, me.start) && other.thread !== me.thread;
  if (!isAlive(other.pid)) return false;
  const start = await startOf(other.pid);
  return start === undefined || sameStart(start, other.start);
}

function toName(holder: Holder): string {
  const { host, boot, pid, start, thread, token } = holder;
  return `${PREFIX}${host}-${boot}-${pid}-${start}-${thread}-${token}`;
}

function fromName(name: string): Holder | undefined {
  const parts = /^lock-([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,10})-(t?\d{1,20})-(\d{1,10})-([0-9a-f]{8})$/.exec(name);
  if (!parts) return undefined;
  const [, host, boot, pid, start, thread, token] = parts;
  return { host: host!, boot: boot!, pid: Number(pid), start: start!, thread: Number(thread), token: token! };
}

async function ourselves(): Promise<Holder> {
  const boot = await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const started = Math.round(Date.now() - process.uptime() * 1000);
  return {
    host: short(hostname()),
    boot: short(boot.trim()),
    pid: process.pid,
    start: (await ticksOf(process.pid)) ?? String(started),
    thread: threadId,
    token: randomBytes(4).toString('hex'),
  };
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `t` and ticks since boot where the kernel tells (exact), else milliseconds since 1970; undefined where nothing does. */
async function startOf(pid: number): Promise<string | undefined> {
  const ticks = await ticksOf(pid);
  if (ticks !== undefined || process.platform === 'linux') return ticks;
  const [program, ...args] =
    process.platform === 'win32'
      ? ['powershell', '-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToUniversalTime().ToString('o')`]
      : ['ps', '-o', 'lstart=', '-p', String(pid)];
  const answer = await promisify(execFile)(program, args, {
    timeout: 5_000,
    env: { ...process.env, LC_ALL: 'C' },
  }).catch(() => undefined);
  const at = Date.parse(answer?.stdout.trim() ?? '');
  return Number.isNaN(at) ? undefined : String(at);
}

async function ticksOf(pid: number): Promise<string | undefined> {
  const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The program's name stands in parentheses and may hold anything; the start is the 20th field after it.
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return ticks === undefined ? undefined : `t${ticks}`;
}

function sameStart(a: string, b: string): boolean {
  if (a.startsWith('t') || b.startsWith('t')) return a === b;
  return Math.abs(Number(a) - Number(b)) <= SAME_START_MS;
}
