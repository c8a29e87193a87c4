/**
 * A member as the worker thread runs one: the real service, store and transport. It notes when its messages pass the socket, so
 * that a figure can be taken apart.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { composeWith } from '../../src/worker/compose.ts';
import type { NetworkTransport } from '../../src/relay-client/transport.ts';
import type { CoterieApi, DeviceSecrets, ServiceEvent } from '../../src/service/api.ts';
import { newSecrets } from '../../src/worker/secrets.ts';
import { now_ms } from './figures.ts';

export interface MemberOptions {
  readonly name: string;
  readonly folder: string;
  /** Empty: direct connections only. Else by the relay only. */
  readonly relay: string;
  /** Of a store that is there already; new ones where there is none. */
  readonly secrets?: DeviceSecrets;
}

export interface Member {
  readonly api: CoterieApi;
  readonly transport: NetworkTransport;
  readonly events: (listener: (event: ServiceEvent) => void) => void;
  next(matches: (event: ServiceEvent) => boolean): Promise<ServiceEvent>;
  /** When the first message of at least so many bytes was sent since `mark`. */
  sentAt(bytes: number): number | undefined;
  /** When the last message of at least so many bytes came, since `mark`. */
  receivedAt(bytes: number): number | undefined;
  mark(): void;
  close(): Promise<void>;
}

export async function openMember({ name, folder, relay, secrets = newSecrets() }: MemberOptions): Promise<Member> {
  const wasm = await readFile(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'));
  const settings = { relay, name, deviceName: 'bench', directPort: 0, lanDiscovery: false };
  let passed: { readonly direction: 'sent' | 'received'; readonly bytes: number; readonly at: number }[] = [];
  let transport: NetworkTransport | undefined;
  await mkdir(folder, { recursive: true });
  const composed = await composeWith(
    { folder, secrets, settings, wasm },
    {
      transport: {
        host: '127.0.0.1',
        directPort: relay === '' ? 'ephemeral' : 0,
        tap: (direction, _, { length }) => passed.push({ direction, bytes: length, at: now_ms() }),
      },
      onTransport: (made) => (transport = made),
    },
  );
  const { api, events, close } = composed;
  const next = (matches: (event: ServiceEvent) => boolean) =>
    new Promise<ServiceEvent>((resolve) => {
      const listening = events((event) => {
        if (!matches(event)) return;
        listening.dispose();
        resolve(event);
      });
    });
  return {
    api,
    transport: transport!,
    events: (listener) => void events(listener),
    next,
    sentAt: (bytes) => passed.find((one) => one.direction === 'sent' && one.bytes >= bytes)?.at,
    receivedAt: (bytes) => passed.findLast((one) => one.direction === 'received' && one.bytes >= bytes)?.at,
    mark: () => (passed = []),
    close,
  };
}
