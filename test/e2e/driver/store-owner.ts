/** Which of a person's extension hosts owns the store: the one that listens where the newest record says. By /proc: Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { newestRecord } from '../../../src/rpc/owner-record.ts';
import type { Person } from './person.ts';

/** Its process; undefined where nobody listens. */
export async function storeOwner(person: Person): Promise<number | undefined> {
  const newest = await newestRecord(person.globalStorage);
  if (newest?.record === undefined) return undefined;
  const listening = socketsAt(newest.record.socket);
  return person.server.extensionHosts().find((host) => handlesOf(host).some((handle) => listening.has(handle)));
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
