/** A house for service tests: people with real stores, sockets and relay, each in a folder of a temporary one. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { startRelay, type RunningRelay } from '../../src/relay/relay.ts';
import type { NetworkTransport } from '../../src/relay-client/transport.ts';
import type { Tap } from '../../src/relay-client/meter.ts';
import type { CoterieApi, DeviceSecrets, ServiceEvent } from '../../src/service/api.ts';
import { composeWith } from '../../src/worker/compose.ts';
import type { Composed } from '../../src/worker/run.ts';

const wasm = await readFile(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'));
const secret = () => randomBytes(32).toString('base64url');

export interface OpenOptions {
  readonly direct?: boolean;
  readonly tap?: Tap;
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

  async startRelay(port = 0): Promise<RunningRelay> {
    this.relay = await startRelay({ folder: join(this.folder, 'relay'), host: '127.0.0.1', port });
    return this.relay;
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
    options: { readonly confirm: boolean },
  ): Promise<void> {
    const request = inviter.next((e) => e.type === 'joinRequest');
    const invitation = await inviter.api.invite(workspace, {
      role: 'participant',
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
  }
}

export class Person {
  readonly name: string;
  readonly folder: string;
  readonly #house: House;
  readonly #secrets: DeviceSecrets = {
    accountSeed: secret(),
    signingSeed: secret(),
    agreementSecret: secret(),
    storeKey: secret(),
  };
  #composed: Composed | undefined;
  readonly #listeners = new Set<(event: ServiceEvent) => void>();
  transport: NetworkTransport | undefined;

  constructor(house: House, name: string) {
    this.#house = house;
    this.name = name;
    this.folder = join(house.folder, name);
  }

  get api(): CoterieApi {
    return this.#composed!.api;
  }

  async open({ direct = true, tap }: OpenOptions = {}): Promise<void> {
    this.#composed = await composeWith(
      {
        folder: this.folder,
        secrets: this.#secrets,
        wasm,
        settings: {
          relay: this.#house.relay?.address ?? '',
          name: this.name,
          deviceName: `${this.name}'s laptop`,
          directPort: 0,
          lanDiscovery: false,
        },
      },
      {
        transport: { host: '127.0.0.1', directPort: direct ? 'ephemeral' : 0, ...(tap ? { tap } : {}) },
        onTransport: (transport) => (this.transport = transport),
      },
    );
    this.#composed.events((event) => {
      for (const listener of [...this.#listeners]) listener(event);
    });
  }

  async close(): Promise<void> {
    await this.#composed?.close();
    this.#composed = undefined;
  }

  async tools(workspace: string): Promise<readonly string[]> {
    const info = (await this.api.workspaces()).find((w) => w.id === workspace)!;
    return info.tools.map((tool) => tool.id);
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
