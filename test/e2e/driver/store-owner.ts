/** Which of a person's extension hosts owns the store, and how to be its guest without a window. By /proc: Linux. */
import { globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../../../src/rpc/client.ts';
import { dial } from '../../../src/rpc/local-socket.ts';
import { newestRecord } from '../../../src/rpc/owner-record.ts';
import { RPC_STALLED_MS } from '../../../src/rpc/rpc-limits.ts';
import { buildOf } from '../../../src/rpc/window.ts';
import type { Person } from './person.ts';

/** Far below what is measured with it. */
const LOOK_AGAIN_MS = 10;

/** Its process; undefined where nobody listens. */
export async function storeOwner(person: Person): Promise<number | undefined> {
  const newest = await newestRecord(person.globalStorage);
  if (newest?.record === undefined) return undefined;
  const listening = socketsAt(newest.record.socket);
  return person.server.extensionHosts().find((host) => handlesOf(host).some((handle) => listening.has(handle)));
}

/** Of the ownerships of a store, the one of now: each is one higher than the one before. */
export async function ownership(person: Person): Promise<number> {
  return (await newestRecord(person.globalStorage))?.generation ?? 0;
}

/** A guest of the first owner after an ownership, as soon as it serves calls. It takes part in no election. */
export async function guestOfNext(person: Person, after: number): Promise<ApiClient> {
  const build = await buildOf(workerOf(person));
  for (;;) {
    const newest = await newestRecord(person.globalStorage);
    if (newest?.record !== undefined && newest.generation > after) {
      const dialled = await dial(newest.record, RPC_STALLED_MS);
      const client = new ApiClient(build);
      if (dialled.state === 'open' && (await client.attach(dialled.duplex)) === 'welcome') return client;
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

function workerOf(person: Person): string {
  const [worker] = globSync(join(person.server.extensions, 'coterie.coterie-*', 'dist', 'worker.cjs'));
  if (worker === undefined) throw new Error(`${person.name} has no Coterie.`);
  return worker;
}

/** As the handles of a process name them. */
function socketsAt(path: string): ReadonlySet<string> {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return new Set(fields.filter((of) => of[7] === path).map((of) => `socket:[${of[6]}]`));
}

function handlesOf(process: number): readonly string[] {
  const folder = `/proc/${process}/fd`;
  return readdirSync(folder).map((handle) => {
    try {
      return readlinkSync(join(folder, handle));
    } catch {
      return ''; // closed since
    }
  });
}
