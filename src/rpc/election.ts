import { mkdir } from 'node:fs/promises';
import { dial, LocalListener } from './local-socket.ts';
import { newestRecord, newToken, publishRecord, removeOlderRecords } from './owner-record.ts';
import type { MessageDuplex } from './port.ts';
import { RPC_STALLED_MS } from './rpc-limits.ts';

/**
 * Tries to become the owner of a store (L3): undefined where there is one, be it stalled, or where another was faster.
 * The rules are those of owner-record.ts. Guests are handed on from the moment of the election.
 */
export async function elect(
  folder: string,
  onGuest: (duplex: MessageDuplex) => void,
  stalledAfter_ms: number = RPC_STALLED_MS,
): Promise<LocalListener | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const newest = await newestRecord(folder);
  if (newest?.record) {
    const dialled = await dial(newest.record, stalledAfter_ms);
    if (dialled.state === 'open') dialled.duplex.close();
    if (dialled.state !== 'dead') return undefined;
  }
  const generation = (newest?.generation ?? 0) + 1;
  const token = newToken();
  const listener = await LocalListener.open(folder, token, onGuest);
  try {
    // Before, so that a disk without any room has some for the next one: what is there is to be read all the same.
    await removeOlderRecords(folder, generation);
    if (await publishRecord(folder, generation, { socket: listener.path, token })) return listener;
  } catch (error) {
    await listener.close();
    throw error;
  }
  await listener.close();
  return undefined;
}
