/** A house for service tests: people with real stores, sockets and relay, each in a folder of a temporary one. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { fromBase64Url, toHex } from '../../src/base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { exportEntries } from '../../src/bridges/export.ts';
import { importPaths } from '../../src/bridges/import.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { systemClock } from '../../src/relay-client/system-clock.ts';
import { startRelay, type RelayOptions, type RunningRelay } from '../../src/relay/relay.ts';
import { createTransport, type NetworkTransport } from '../../src/relay-client/transport.ts';
import type { Tap } from '../../src/relay-client/meter.ts';
import {
  type CoterieApi,
  type DeviceRequestInfo,
  type DeviceSecrets,
  type LinkInfo,
  type Role,
  ServiceError,
  type ServiceEvent,
} from '../../src/service/api.ts';
import { decodeRecord, deltasIn, encodeRecord } from '../../src/service/records.ts';
import { feedOf } from '../../src/sync/delta.ts';
import type { Arrived, LogStore, Transport } from '../../src/sync/ports.ts';
import { Replica, type Entry } from '../../src/sync/replica.ts';
import { Service } from '../../src/service/service.ts';
import { Contents } from '../../src/store/contents.ts';
import type { Disk } from '../../src/store/disk.ts';
import { openIndex } from '../../src/store/index-db.ts';
import { placeOf } from '../../src/store/place.ts';
import { openStore } from '../../src/store/store.ts';
import type { Composed } from '../../src/worker/run.ts';

const wasm = await readFile(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'));
const secret = () => randomBytes(32).toString('base64url');

export interface OpenOptions {
  readonly direct?: boolean;
  readonly tap?: Tap;
  /** The house's where it is not said. */
  readonly relay?: string;
  readonly disk?: Disk;
  /** As if the store had come back with its whole disk: it looks as if it had never been away. */
  readonly place?: string;
  /** Another than the person's own. */
  readonly storeKey?: string;
  readonly compactAboveBytes?: number;
  /** What stands between the service and its journal. */
  readonly around?: (log: LogStore) => LogStore;
  /** How far this person's clock is behind. */
  readonly clockBehindMs?: number;
}

export class House {
  readonly folder: string;
  readonly #people: Person[] = [];
  relay: RunningRelay | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async build(): Promise<House> {
    return new House(await mkdtemp(join(tmpdir(), 'coterie-house-')));
  }

  async startRelay(port = 0, limits: RelayOptions['limits'] = {}): Promise<RunningRelay> {
    this.relay = await startRelay({ folder: join(this.folder, 'relay'), host: '127.0.0.1', port, limits });
    return this.relay;
  }

  /** Everybody has the same files, bytes and posts, and says so: waits for it. */
  async converged(workspace: string, ...people: readonly Person[]): Promise<readonly string[]> {
    const all = await Promise.all(people.map((person) => person.whole(workspace)));
    for (;;) {
      const [first, ...others] = await Promise.all(people.map((person) => person.listingNow(workspace)));
      if (first && others.every((one) => one?.join('\n') === first.join('\n'))) return first;
      assert.ok(all.length > 0);
      await Promise.race(people.map((person) => person.next(() => true)));
    }
  }

  async move(name: string, options: OpenOptions = {}): Promise<Person> {
    const person = new Person(this, name);
    this.#people.push(person);
    await mkdir(person.folder, { recursive: true });
    await person.open(options);
    return person;
  }

  /** Invites, accepts, and waits until the copy is whole. */
  async join(
    inviter: Person,
    joiner: Person,
    workspace: string,
    options: { readonly confirm: boolean; readonly role?: Role },
  ): Promise<void> {
    const request = inviter.next((e) => e.type === 'joinRequest');
    const invitation = await inviter.api.invite(workspace, {
      role: options.role ?? 'participant',
      expiresInMs: 60_000,
      uses: 1,
      confirm: options.confirm,
      scheme: 'vscode',
    });
    const done = joiner.next((e) => e.type === 'join' && e.join.state === 'done');
    await joiner.api.acceptInvitation(invitation.link);
    if (options.confirm) {
      const event = await request;
      if (event.type === 'joinRequest') await inviter.api.answerJoin(event.request.id, true);
    }
    await done;
  }

  async close(): Promise<void> {
    for (const person of this.#people) await person.close();
    await this.relay?.stop();
    await rm(this.folder, { recursive: true, force: true });
    for (const person of this.#people) assert.deepEqual(person.faults, [], `no fault of ours at ${person.name}`);
  }
}

export class Person {
  readonly name: string;
  readonly folder: string;
  readonly #house: House;
  secrets: DeviceSecrets = {
    accountSeed: secret(),
    signingSeed: secret(),
    agreementSecret: secret(),
    storeKey: secret(),
  };
  keepsSecrets = true;
  /** What happens while the secret storage asks its person, say. */
  whileKeeping: () => Promise<void> = async () => undefined;
  /** Of the others' clocks. */
  aheadMs = 0;
  #composed: Composed | undefined;
  #port: number | undefined;
  readonly #listeners = new Set<(event: ServiceEvent) => void>();
  transport: NetworkTransport | undefined;
  /** Since the first opening. */
  readonly notices: (ServiceEvent & { type: 'notice' })[] = [];
  readonly events: ServiceEvent[] = [];
  readonly faults: unknown[] = [];
  /** What the journal was given: what a hostile member knows. */
  readonly records: Uint8Array[] = [];

  constructor(house: House, name: string) {
    this.#house = house;
    this.name = name;
    this.folder = join(house.folder, name);
  }

  get api(): CoterieApi {
    return this.#composed!.api;
  }

  /** What windows are served. */
  get service(): Composed {
    return this.#composed!;
  }

  async open(options: OpenOptions = {}): Promise<void> {
    const {
      direct = true,
      tap,
      relay = this.#house.relay?.address ?? '',
      disk,
      compactAboveBytes,
      around = (log: LogStore) => log,
      clockBehindMs = 0,
    } = options;
    const crypto = nodeCrypto();
    const secrets = { ...this.secrets, storeKey: options.storeKey ?? this.secrets.storeKey };
    const key = fromBase64Url(secrets.storeKey)!;
    const store = await openStore({ folder: this.folder, key, crypto, ...(disk ? { disk } : {}) });
    const { log } = store;
    const found = await placeOf(this.folder);
    const placeNow = found === undefined ? {} : { place: found };
    try {
      const service = await Service.open({
        secrets,
        settings: {
          relay,
          name: this.name,
          deviceName: `${this.name}'s laptop`,
          directPort: 0,
          lanDiscovery: false,
        },
        crypto,
        clock: {
          now: () => systemClock.now() + this.aheadMs - clockBehindMs,
          wakeAt: (at, callback) => this.#wakeAt(at - this.aheadMs + clockBehindMs, callback),
        },
        log: around({
          replay: (each) => log.replay(each),
          append: (records) => {
            this.records.push(...records);
            return log.append(records);
          },
          compact: (records) => log.compact(records),
          get journalBytes() {
            return log.journalBytes;
          },
          close: () => log.close(),
        }),
        chunks: store.chunks,
        index: await openIndex({ wasm }),
        indexImage: store.indexImage,
        bridges: { importPaths, exportEntries },
        onFault: (error) => this.faults.push(error),
        ...(options.place === undefined ? placeNow : { place: options.place }),
        keepSecrets: async (kept) => {
          await this.whileKeeping();
          if (this.keepsSecrets) this.secrets = kept;
          return this.keepsSecrets;
        },
        ...(compactAboveBytes === undefined ? {} : { compactAboveBytes }),
        makeContents: (keys) => new Contents({ crypto, chunks: store.chunks, keys }),
        makeTransport: (setup) => {
          const port = { host: '127.0.0.1', directPort: direct ? (this.#port ?? ('ephemeral' as const)) : 0 };
          this.transport = createTransport({ crypto, ...setup, ...port, ...(tap ? { tap } : {}) });
          return this.#hearing(this.transport);
        },
      });
      const close = async () => {
        await service.close();
        await store.close();
      };
      this.#composed = { api: service.api, apiFor: (call) => service.apiFor(call), events: service.events, close };
    } catch (error) {
      await store.close();
      throw error;
    }
    // The same again after a restart: otherwise two who were both away would never find each other here.
    if (direct) this.#port = Number(this.transport!.listening[0]!.split(':').at(-1));
    this.#composed.events((event) => {
      this.events.push(event);
      if (event.type === 'notice') this.notices.push(event);
      for (const listener of [...this.#listeners]) listener(event);
    });
  }

  /** What does not get through to this person, of what is sent to him. */
  isLost: (arrived: Arrived) => boolean = () => false;

  #listens: (arrived: Arrived) => void = () => undefined;

  /** What somebody on the way has kept is given to this person again, as whose it was and on the path that it came on. Resolves when he has made of it what he does. */
  hears({ from, path, bytes }: Pick<Arrived, 'from' | 'path' | 'bytes'>): Promise<void> {
    return new Promise((handled) => this.#listens({ from, bytes, path, handled }));
  }

  #hearing(transport: NetworkTransport): Transport {
    const onArrived: Transport['onArrived'] = (listener) => {
      this.#listens = listener;
      return transport.onArrived((arrived) => (this.isLost(arrived) ? arrived.handled() : listener(arrived)));
    };
    return new Proxy<Transport>(transport, {
      get: (target, name) => {
        if (name === 'onArrived') return onArrived;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** What is on the disk of a workspace while the service is closed: kinds of records, and keys of the local state. */
  async kept(workspace: string): Promise<readonly string[]> {
    const store = await openStore({
      folder: this.folder,
      key: fromBase64Url(this.secrets.storeKey)!,
      crypto: nodeCrypto(),
    });
    const kept = new Set<string>();
    await store.log.replay((bytes) => {
      const record = decodeRecord(bytes);
      if (record?.kind !== 'local') {
        if (record?.workspace === workspace) kept.add(record.kind);
      } else if (record.key.includes(workspace)) {
        if (record.value === null) kept.delete(record.key);
        else kept.add(record.key);
      }
    });
    await store.close();
    return [...kept].map((key) => key.replace(workspace, '…'));
  }

  async close(): Promise<void> {
    await this.#composed?.close();
    this.#composed = undefined;
  }

  /** What the service still waits for. */
  get alarms(): number {
    return this.#alarms.size;
  }

  readonly #alarms = new Map<() => void, { readonly at: number; readonly ring: () => void }>();

  #wakeAt(at: number, callback: () => void): () => void {
    const ring = () => {
      this.#alarms.delete(cancel);
      callback();
    };
    const cancel = systemClock.wakeAt(at, ring);
    const cancelAlarm = () => {
      this.#alarms.delete(cancel);
      cancel();
    };
    this.#alarms.set(cancel, { at: at + this.aheadMs, ring });
    return cancelAlarm;
  }

  /** Time passes while the service is open: what is due by then is due now. */
  pass(ms: number): void {
    this.aheadMs += ms;
    const now = systemClock.now() + this.aheadMs;
    for (const [cancel, { at, ring }] of [...this.#alarms]) {
      if (at > now || !this.#alarms.has(cancel)) continue;
      cancel();
      ring();
    }
  }

  /** As if this device had never been used. */
  async forget(): Promise<void> {
    await rm(this.folder, { recursive: true });
    await mkdir(this.folder);
  }

  async tools(workspace: string): Promise<readonly string[]> {
    const info = (await this.api.workspaces()).find((w) => w.id === workspace)!;
    return info.tools.map((tool) => tool.id);
  }

  async info(workspace: string) {
    return (await this.api.workspaces()).find((one) => one.id === workspace)!;
  }

  /** Waits until all content that is known is here. */
  whole(workspace: string): Promise<void> {
    return this.until(async () => (await this.info(workspace)).sync.missingChunks === 0);
  }

  /** A notice of this code, come or coming. */
  async notice(code: string): Promise<ServiceEvent & { type: 'notice' }> {
    await this.until(async () => this.notices.some((notice) => notice.code === code));
    return this.notices.find((notice) => notice.code === code)!;
  }

  write(workspace: string, tool: string, path: string, bytes: Uint8Array | string): Promise<string> {
    return this.api.write(workspace, tool, path, Buffer.from(bytes), { create: true, overwrite: true });
  }

  /** Every file with the hash of its bytes, every folder, every post. */
  async listing(workspace: string): Promise<readonly string[]> {
    const [files, chat] = await this.tools(workspace);
    const lines: string[] = [];
    const walk = async (path: string): Promise<void> => {
      for (const entry of await this.api.list(workspace, files!, path === '' ? '/' : path)) {
        const at = `${path}/${entry.name}`;
        if (entry.kind === 'folder') {
          lines.push(at);
          await walk(at);
        } else {
          const bytes = await this.api.read(workspace, files!, at);
          lines.push(`${at} ${createHash('sha256').update(bytes).digest('hex')}`);
        }
      }
    };
    await walk('');
    const { posts } = await this.api.chat(workspace, chat!, { limit: 500 });
    return [...lines.sort(), ...posts.map((post) => `${post.authorName}: ${post.text}`)];
  }

  /** Undefined while the content of something that is listed is on its way, and where it has gone meanwhile. */
  async listingNow(workspace: string): Promise<readonly string[] | undefined> {
    try {
      return await this.listing(workspace);
    } catch (error) {
      if (error instanceof ServiceError && (error.code === 'notPresent' || error.code === 'notFound')) return undefined;
      throw error;
    }
  }

  /** Control deltas that this person's device signs while its service is closed: what it would have taken long to do by hand. */
  async author(workspace: string, make: (crypto: Crypto) => readonly Entry[]): Promise<void> {
    const crypto = nodeCrypto();
    const key = fromBase64Url(this.secrets.storeKey)!;
    const seed = fromBase64Url(this.secrets.signingSeed)!;
    const device = toHex(crypto.signingKeyOf(seed)) as DeviceId;
    const store = await openStore({ folder: this.folder, key, crypto });
    const own = feedOf(device, 0);
    const replica = new Replica({ crypto, workspace: workspace as WorkspaceId, reducers: [], own });
    await store.log.replay((bytes) => {
      const record = decodeRecord(bytes);
      if (record && record.kind !== 'local' && record.workspace === workspace)
        for (const delta of deltasIn(record)) replica.restore(delta);
    });
    const nodes = replica.author({ device, seed }, make(crypto), Date.now());
    await store.log.append(
      nodes.map(({ delta }) =>
        encodeRecord({ kind: 'delta', workspace: workspace as WorkspaceId, bytes: delta.bytes }),
      ),
    );
    await store.close();
  }

  /** Others' deltas come to this person's disk while the service is closed, as if they had come before. */
  async takes(workspace: string, deltas: readonly Uint8Array[]): Promise<void> {
    const key = fromBase64Url(this.secrets.storeKey)!;
    const store = await openStore({ folder: this.folder, key, crypto: nodeCrypto() });
    const id = workspace as WorkspaceId;
    await store.log.replay(() => undefined);
    await store.log.append(deltas.map((bytes) => encodeRecord({ kind: 'delta', workspace: id, bytes })));
    await store.close();
  }

  /** Own and others' records of a kind that the journal was given. */
  known() {
    return this.records.map((bytes) => decodeRecord(bytes)).filter((record) => record !== undefined);
  }

  next(matches: (event: ServiceEvent) => boolean): Promise<ServiceEvent> {
    return new Promise((resolve) => {
      const listener = (event: ServiceEvent) => {
        if (!matches(event)) return;
        this.#listeners.delete(listener);
        resolve(event);
      };
      this.#listeners.add(listener);
    });
  }

  /** Looks again at every event until it holds. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const event = this.next(() => true);
      if (await holds().catch(() => false)) return;
      await event;
    }
  }
}

/** Resolves when the journal was written anew twice, since both generations that are kept count. */
export function twice(): { readonly around: (log: LogStore) => LogStore; readonly done: Promise<void> } {
  let [times, resolve] = [0, () => {}];
  const done = new Promise<void>((resolved) => (resolve = resolved));
  const around = (log: LogStore): LogStore => ({
    replay: (each) => log.replay(each),
    append: (records) => log.append(records),
    compact: async (records) => {
      await log.compact(records);
      if (++times === 2) resolve();
    },
    get journalBytes() {
      return log.journalBytes;
    },
    close: () => log.close(),
  });
  return { around, done };
}

export async function request(person: Person): Promise<DeviceRequestInfo> {
  await person.until(async () => (await person.api.deviceRequests()).length > 0);
  return (await person.api.deviceRequests())[0]!;
}

export async function linkEnd(person: Person): Promise<LinkInfo> {
  const event = await person.next((e) => e.type === 'link' && (e.link.state === 'done' || e.link.state === 'refused'));
  assert.ok(event.type === 'link');
  return event.link;
}

/** As a person does it: a code here, typed there, the numbers compared, yes. */
export async function link(first: Person, second: Person): Promise<void> {
  const { code } = await first.api.makeLinkCode('vscode');
  const ended = linkEnd(second);
  const { number } = await second.api.linkDevice(code);
  const asked = await request(first);
  assert.equal(asked.number, number);
  await first.api.answerDevice(asked.id, true);
  assert.equal((await ended).state, 'done');
}
