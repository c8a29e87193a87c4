/**
 * What must be secret is looked for, in every spelling, in all that an outsider could get hold of: both stores, the relay's folder
 * while it keeps messages for somebody who is away, and the recorded traffic of every path in both directions.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { startRelay, type RunningRelay } from '../../src/relay/relay.ts';
import type { Tap } from '../../src/relay-client/meter.ts';
import type { NetworkTransport } from '../../src/relay-client/transport.ts';
import type { CoterieApi, DeviceSecrets, ServiceEvent } from '../../src/service/api.ts';
import { composeWith } from '../../src/worker/compose.ts';
import type { Composed } from '../../src/worker/run.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const wasm = await readFile(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'));
const secret = (): string => randomBytes(32).toString('base64url');

// Each stands for a kind of thing that is secret, and cannot turn up by chance.
const workspaceName = 'Expedition Quastenflosser';
const toolName = 'Laderaum der Quastenflosser';
const aliceName = 'Aliquippa Quartermaine';
const bobName = 'Bobolink Featherstonehaugh';
const aliceDevice = 'Aliquippa’s travelling typewriter';
const bobDevice = 'Bobolink’s second slate';
const fileName = 'geheimnis-der-ünïcode-plane.txt';
const binaryName = 'unspeakable-cargo.bin';
const folderName = 'Drawer of the Cartographer';
const firstText = 'const treasure = bury("under the seventh larch");';
const secondText = 'const treasure = dig("behind the abandoned kiln");';
const awayText = 'The lighthouse keeper never came back from Skagen.';
const chatText = 'Meet me where the heron stands at midnight, **bring rope**';
const editedChat = 'Meet me where the heron slept at noon, bring candles';
const awayChat = 'The courier has swallowed the microfilm';
const binaryMark = Buffer.from('d3c0de5eaf00dba5eba11c0ffee0ddf00d7e57ab1e5a1ad0b57ac1e', 'hex');

const plaintexts: Readonly<Record<string, Uint8Array>> = {
  workspaceName: Buffer.from(workspaceName),
  toolName: Buffer.from(toolName),
  aliceName: Buffer.from(aliceName),
  bobName: Buffer.from(bobName),
  aliceDevice: Buffer.from(aliceDevice),
  bobDevice: Buffer.from(bobDevice),
  fileName: Buffer.from(fileName),
  fileNameDecomposed: Buffer.from(fileName.normalize('NFD')),
  binaryName: Buffer.from(binaryName),
  folderName: Buffer.from(folderName),
  firstText: Buffer.from(firstText),
  secondText: Buffer.from(secondText),
  awayText: Buffer.from(awayText),
  chatText: Buffer.from(chatText),
  editedChat: Buffer.from(editedChat),
  awayChat: Buffer.from(awayChat),
  binaryMark,
};

describe('An outsider', function () {
  this.timeout(120_000);
  let folder: string;
  let relay: RunningRelay;
  let alice: Person;
  let bob: Person;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coterie-plaintext-'));
    relay = await startRelay({ folder: join(folder, 'relay'), host: '127.0.0.1', port: 0 });
    alice = new Person(folder, 'a', { name: aliceName, deviceName: aliceDevice, relay: relay.address });
    bob = new Person(folder, 'b', { name: bobName, deviceName: bobDevice, relay: relay.address });
  });
  after(async () => {
    await alice.close();
    await bob.close();
    await relay.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('K5, L1, R5 finds no plaintext, name or secret on either disk, on the relay or in the traffic', async () => {
    await liveTogether();
    const kept = await liveApart();
    await alice.close();

    const needles = allNeedles({ ...plaintexts, ...alice.keys, ...bob.keys });
    const places = [
      ...(await haystacks(alice.folder, 'Alice’s store')),
      ...(await haystacks(bob.folder, 'Bob’s store')),
      ...(await haystacks(relayFolder(), 'the relay')),
      ...kept,
      ...alice.traffic('Alice'),
      ...bob.traffic('Bob'),
    ];
    assert.deepEqual(search(needles, places), []);
    aboutEverything(places, kept);
  });

  it('would be seen if there were any: every spelling of every secret is found where it is planted', async () => {
    const needles = allNeedles(plaintexts);
    const random = seededRandom('planted');
    for (const needle of needles) {
      const planted = join(folder, 'planted');
      await mkdir(planted, { recursive: true });
      await writeFile(join(planted, 'chunk'), Buffer.concat([random(1_001), needle.bytes, random(503)]));
      const found = search(needles, await haystacks(planted, 'planted'));
      assert.ok(found.includes(`${needle.name} in planted: chunk`), `${needle.name} was not found`);
      await rm(planted, { recursive: true });
    }
  });

  it('would be seen in a name of a file, in the middle of base64, and across two messages', () => {
    const needles = allNeedles(plaintexts);
    const inner = Buffer.from(`xy${workspaceName} and more`).toString('base64');
    assert.deepEqual(
      new Set(
        search(needles, [{ name: 'json', bytes: Buffer.from(`{"v":"${inner}"}`) }]).map((hit) => hit.split(' ')[0]),
      ),
      new Set(['workspaceName']),
    );
    const person = new Person(folder, 'never opened', { name: 'x', deviceName: 'x', relay: '' });
    for (const part of [chatText.slice(0, 20), chatText.slice(20)]) person.tap('sent', 'relay', Buffer.from(part));
    assert.ok(search(needles, person.traffic('split')).includes('chatText as it is in split sent relay'));
  });

  const relayFolder = (): string => join(folder, 'relay');

  /** Both at home: the invitation, the first copy, changes both ways, directly; each finds the other on the LAN too. */
  async function liveTogether(): Promise<void> {
    await alice.open();
    await bob.open();
    const workspace = await alice.api.createWorkspace({ name: workspaceName });
    const files = await alice.api.addTool(workspace, 'files', toolName);
    const chat = await alice.tool(workspace, 'chat');
    Object.assign(place, { workspace, files, chat });
    const real = join(folder, 'real', folderName);
    await mkdir(real, { recursive: true });
    await writeFile(join(real, fileName), lines(firstText));
    await writeFile(join(real, 'utf16.txt'), Buffer.from(`\ufeff${lines(firstText)}`, 'utf16le'));
    const random = seededRandom('cargo');
    await writeFile(join(real, binaryName), Buffer.concat([random(700_000), binaryMark, random(400_000)]));
    assert.equal((await alice.api.importPaths(workspace, files, '/', [real], 'add')).files, 3);
    await alice.api.post(workspace, chat, chatText);

    const invitation = await alice.api.invite(workspace, {
      role: 'participant',
      expiresInMs: 600_000,
      uses: 1,
      confirm: false,
      scheme: 'vscode',
    });
    const whole = bob.next((event) => event.type === 'join' && event.join.state === 'done');
    await bob.api.acceptInvitation(invitation.link);
    await whole;
    await bob.until(async () => (await bob.api.stat(workspace, files, `/${folderName}/${binaryName}`)).present);
    const theirs = await bob.api.read(workspace, files, `/${folderName}/${fileName}`);
    const changed = Buffer.from(theirs).toString().replace(firstText, secondText);
    await bob.api.write(workspace, files, `/${folderName}/${fileName}`, Buffer.from(changed), overwrite);
    const said = await bob.api.post(workspace, chat, chatText);
    await bob.api.editPost(workspace, chat, said.id, editedChat);
    await alice.until(async () => (await alice.texts()).includes(editedChat));
    await alice.until(async () => Buffer.from(await alice.readFile()).toString() === changed);
    await Promise.all([alice.recorded('received lan'), bob.recorded('received lan')]);
  }

  /** Bob is away, the relay keeps what is for him: it is looked into at that time. Then he comes back and finds nobody. */
  async function liveApart(): Promise<Haystack[]> {
    const { workspace, files, chat } = place;
    await bob.close();
    await alice.api.write(workspace, files, '/away.txt', Buffer.from(lines(awayText)), create);
    await alice.api.post(workspace, chat, awayChat);
    await alice.until(async () => (await alice.api.workspaces())[0]!.sync.relayed === 1);
    const kept = await haystacks(relayFolder(), 'the relay, keeping messages');
    await alice.close();
    await bob.open({ direct: false });
    await bob.until(async () => (await bob.texts()).includes(awayChat));
    await bob.until(async () => (await bob.api.stat(workspace, files, '/away.txt')).present);
    assert.equal(Buffer.from(await bob.api.read(workspace, files, '/away.txt')).toString(), lines(awayText));
    await bob.close();
    return kept;
  }

  /** The search is worth something only where there was something to search. */
  function aboutEverything(places: readonly Haystack[], kept: readonly Haystack[]): void {
    const bytesOf = (part: string) =>
      places.filter(({ name }) => name.startsWith(part)).reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const person of ['Alice', 'Bob']) {
      assert.ok(bytesOf(`${person}’s store`) > 1_100_000, `${person}'s store holds the content`);
      for (const path of ['direct', 'relay', 'lan'])
        for (const direction of ['sent', 'received'])
          assert.ok(bytesOf(`${person} ${direction} ${path}`) > 0, `${person} has ${direction} by ${path}`);
    }
    // By which path is a matter of which opens first: all of them are searched.
    assert.ok(bytesOf('Alice sent') > 1_100_000, 'the first copy was recorded');
    assert.ok(
      kept.some(({ name }) => name.includes('relay.db')),
      'the database was there',
    );
    assert.ok(
      kept.some(({ name }) => name.includes('parcels')),
      'parcels were there',
    );
    for (const person of [alice, bob]) person.assertAllTapped();
  }
});

const place = { workspace: '', files: '', chat: '' };
/** The longest that a relay sends at once (R3); the content that is looked for is twenty times as long. */
const FRAME_BYTES = 64 * 1024;
const create = { create: true, overwrite: false };
const overwrite = { create: false, overwrite: true };
const lines = (text: string): string => Array.from({ length: 40 }, (_, i) => `${i}: ${text}\n`).join('');

// ---- looking --------------------------------------------------------------------------------------------------------------

interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

interface Haystack {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every secret in every spelling in which it might have been written somewhere. */
function allNeedles(secrets: Readonly<Record<string, Uint8Array>>): readonly Needle[] {
  return Object.entries(secrets).flatMap(([name, bytes]) =>
    [...spellings(Buffer.from(bytes))].map(([how, spelt]) => ({ name: `${name} as ${how}`, bytes: spelt })),
  );
}

function* spellings(bytes: Buffer): Generator<[string, Buffer]> {
  yield ['it is', bytes];
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) {
    const wide = Buffer.from(text, 'utf16le');
    yield ['UTF-16LE', wide];
    yield ['UTF-16BE', Buffer.from(wide).swap16()];
    yield [
      'JSON',
      Buffer.from(
        JSON.stringify(text)
          .slice(1, -1)
          .replace(/[^ -~]/g, escaped),
      ),
    ];
    yield ['URI', Buffer.from(encodeURIComponent(text))];
  }
  const hex = bytes.toString('hex');
  yield ['hex', Buffer.from(hex)];
  yield ['HEX', Buffer.from(hex.toUpperCase())];
  // Wherever it begins within a group of three, with what its neighbours do not touch.
  for (const before of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const [from, to] = [Math.ceil((before * 8) / 6), Math.floor((shifted.length * 8) / 6)];
    yield [`base64 (${before})`, Buffer.from(shifted.toString('base64').slice(from, to))];
    yield [`base64url (${before})`, Buffer.from(shifted.toString('base64url').slice(from, to))];
  }
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

function search(needles: readonly Needle[], places: readonly Haystack[]): string[] {
  return places.flatMap(({ name, bytes }) => {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return needles.filter((needle) => haystack.includes(needle.bytes)).map((needle) => `${needle.name} in ${name}`);
  });
}

/** All files of a folder, and their names, which are on the disk as well. */
async function haystacks(folder: string, whose: string): Promise<Haystack[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: Haystack[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = `${whose}: ${relative(folder, path)}`;
    found.push({ name: `${name} (its name)`, bytes: Buffer.from(relative(folder, path)) });
    if (entry.isFile()) found.push({ name, bytes: await readFile(path) });
  }
  return found;
}

// ---- a person whose traffic is recorded -----------------------------------------------------------------------------------

class Person {
  readonly folder: string;
  readonly #secrets: DeviceSecrets;
  readonly #names: { readonly name: string; readonly deviceName: string; readonly relay: string };
  readonly #recorded = new Map<string, Buffer[]>();
  readonly #coverage: { readonly path: string; readonly counted: number; readonly tapped: number; messages: number }[] =
    [];
  readonly #since = new Map<string, { bytes: number; messages: number }>();
  readonly #awaited = new Map<string, () => void>();
  readonly #listeners = new Set<(event: ServiceEvent) => void>();
  #composed: Composed | undefined;
  #transport: NetworkTransport | undefined;

  constructor(house: string, folder: string, names: { name: string; deviceName: string; relay: string }) {
    this.folder = join(house, folder);
    this.#names = names;
    this.#secrets = {
      accountSeed: secret(),
      signingSeed: secret(),
      agreementSecret: secret(),
      storeKey: secret(),
    };
  }

  get api(): CoterieApi {
    return this.#composed!.api;
  }

  /** What is in the keychain is nowhere else. */
  get keys(): Readonly<Record<string, Uint8Array>> {
    const mine = Object.entries(this.#secrets) as [string, string][];
    return Object.fromEntries(
      mine.map(([key, text]) => [`${this.#names.name}'s ${key}`, Buffer.from(text, 'base64url')]),
    );
  }

  readonly tap: Tap = (direction, path, bytes) => {
    const stream = `${direction} ${path}`;
    const parts = this.#recorded.get(stream) ?? [];
    this.#recorded.set(stream, parts);
    parts.push(Buffer.from(bytes));
    this.#awaited.get(stream)?.();
    const since = this.#since.get(path) ?? { bytes: 0, messages: 0 };
    this.#since.set(path, { bytes: since.bytes + bytes.length, messages: since.messages + 1 });
  };

  async open({ direct = true } = {}): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    this.#since.clear();
    this.#composed = await composeWith(
      {
        folder: this.folder,
        secrets: this.#secrets,
        wasm,
        settings: { ...this.#names, directPort: 0, lanDiscovery: true },
      },
      {
        transport: {
          host: '127.0.0.1',
          directPort: direct ? 'ephemeral' : 0,
          // A group of this test alone: no Coterie on this machine, and no other run of it, takes part.
          lanDiscovery: direct
            ? { group: '239.255.77.3', port: 20_000 + (process.pid % 20_000), interface: '127.0.0.1' }
            : false,
          tap: this.tap,
        },
        onTransport: (transport) => (this.#transport = transport),
      },
    );
    this.#composed.events((event) => {
      for (const listener of [...this.#listeners]) listener(event);
    });
  }

  async close(): Promise<void> {
    await this.#composed?.close();
    if (this.#composed) this.#note();
    this.#composed = undefined;
  }

  /** What the sockets counted beside what the tap was shown. */
  #note(): void {
    const { directSentBytes, directReceivedBytes, relaySentBytes, relayReceivedBytes } = this.#transport!.counters;
    const counted = { direct: directSentBytes + directReceivedBytes, relay: relaySentBytes + relayReceivedBytes };
    for (const path of ['direct', 'relay'] as const) {
      const { bytes, messages } = this.#since.get(path) ?? { bytes: 0, messages: 0 };
      this.#coverage.push({ path, counted: counted[path], tapped: bytes, messages });
    }
  }

  /** Nothing but the heads of WebSocket's frames, its opening requests, and a frame that had not all come when it was closed, has passed beside the tap. */
  assertAllTapped(): void {
    for (const { path, counted, tapped, messages } of this.#coverage) {
      const unseen = counted - tapped;
      assert.ok(
        unseen >= 0 && unseen <= messages * 14 + 8_192 + FRAME_BYTES,
        `${path}: ${unseen} bytes of ${counted} were not seen`,
      );
    }
  }

  /** Each direction of each path as one stream: what is split over two messages is whole again. */
  traffic(whose: string): Haystack[] {
    return [...this.#recorded].map(([stream, parts]) => ({ name: `${whose} ${stream}`, bytes: Buffer.concat(parts) }));
  }

  /** Until something has passed in a stream. */
  async recorded(stream: string): Promise<void> {
    if (!this.#recorded.has(stream)) await new Promise<void>((resolve) => this.#awaited.set(stream, resolve));
  }

  async tool(workspace: string, kind: string): Promise<string> {
    const info = (await this.api.workspaces()).find(({ id }) => id === workspace)!;
    return info.tools.find((tool) => tool.kind === kind)!.id;
  }

  async texts(): Promise<readonly string[]> {
    return (await this.api.chat(place.workspace, place.chat, { limit: 20 })).posts.map(({ text }) => text);
  }

  readFile(): Promise<Uint8Array> {
    return this.api.read(place.workspace, place.files, `/${folderName}/${fileName}`);
  }

  next(matches: (event: ServiceEvent) => boolean): Promise<ServiceEvent> {
    return new Promise((resolve) => {
      const listener = (event: ServiceEvent): void => {
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
