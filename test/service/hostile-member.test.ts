/** A member with the epoch key and ill will, or a broken client (D7–D9, K5): what he sends does no harm, and is named. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { equalBytes, toHex } from '../../src/base/bytes.ts';
import type { ChunkId, DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { idBytes, readDelta, signDelta, type Delta, type DeltaDraft } from '../../src/sync/delta.ts';
import { openMessage, sealMessage, type SealKey } from '../../src/sync/envelope.ts';
import { boxEpoch, epochOf, readEpochNotice, type Epoch } from '../../src/sync/epoch.ts';
import { decodeMessage, encodeMessage, markOf, type FeedMark, type Message } from '../../src/sync/messages.ts';
import { Lane } from '../../src/sync/ports.ts';
import { deltasIn } from '../../src/service/records.ts';
import type { Content } from '../../src/tools/files/content.ts';
import { filesBody, readFilesDelta } from '../../src/tools/files/deltas.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { pairSeal } from '../../src/sync/device-link.ts';
import { readControl } from '../../src/sync/control.ts';
import type { Certificate } from '../../src/protocol/certificate.ts';
import { House, type Person } from './house.ts';

const crypto = nodeCrypto();

/** Everything Mallory's own client knows, in his hands. */
class Mallory {
  readonly person: Person;
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly seed: Uint8Array;

  constructor(person: Person, workspace: string, device: string) {
    this.person = person;
    this.workspace = workspace as WorkspaceId;
    this.device = device as DeviceId;
    this.seed = Buffer.from(person.secrets.signingSeed, 'base64url');
  }

  static async of(person: Person, workspace: string): Promise<Mallory> {
    return new Mallory(person, workspace, (await person.api.identity()).device);
  }

  get epoch(): Epoch {
    const found = this.person
      .known()
      .find((record) => record.kind === 'local' && record.key.startsWith(`epoch/${this.workspace}/`));
    assert.ok(found?.kind === 'local' && found.value instanceof Uint8Array);
    return epochOf(crypto, found.value);
  }

  get own(): readonly Delta[] {
    const own: Delta[] = [];
    for (const record of this.person.known()) {
      if (record.kind === 'local' || record.workspace !== this.workspace) continue;
      for (const bytes of deltasIn(record)) {
        const read = readDelta(crypto, this.workspace, bytes);
        if (read.ok && read.value.device === this.device) own.push(read.value);
      }
    }
    return own.sort((a, b) => a.seq - b.seq);
  }

  /** What his client has told that it holds: all that its journal was given. */
  get vector(): readonly FeedMark[] {
    const ends = new Map<FeedId, FeedMark>();
    for (const record of this.person.known()) {
      const read = record.kind === 'delta' ? readDelta(crypto, this.workspace, record.bytes) : undefined;
      if (!read?.ok) continue;
      const { feed, seq, id } = read.value;
      if ((ends.get(feed)?.seq ?? 0) < seq) ends.set(feed, markOf(feed, seq, id));
    }
    return [...ends.values()];
  }

  get agreement(): { readonly device: DeviceId; readonly agreementSecret: Uint8Array } {
    return { device: this.device, agreementSecret: Buffer.from(this.person.secrets.agreementSecret, 'base64url') };
  }

  next(tool: string | undefined, kind: string, body: Value, change: Partial<DeltaDraft> = {}): Delta {
    const last = this.own.at(-1)!;
    return signDelta(crypto, { device: this.device, seed: this.seed }, this.workspace, {
      generation: last.generation,
      seq: last.seq + 1,
      prev: last.id,
      deps: [],
      credential: last.credential,
      time: 1_000_000,
      tool: tool as ToolId | undefined,
      kind,
      body,
      ...change,
    });
  }

  send(to: string, message: Message, options: { sender?: DeviceId; key?: SealKey } = {}): Uint8Array {
    const seal = { ...(options.key ?? this.epoch), workspace: this.workspace };
    const bytes = sealMessage(crypto, seal, encodeMessage(options.sender ?? this.device, message));
    this.sendBytes(to, bytes);
    return bytes;
  }

  sendBytes(to: string, bytes: Uint8Array): void {
    assert.ok(this.person.transport!.send(to as DeviceId, bytes, Lane.structured));
  }

  deltas(to: string, ...deltas: readonly Delta[]): void {
    this.send(to, { kind: 'deltas', runs: [deltas.map((delta) => delta.bytes)] });
  }
}

describe('A hostile member', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let person: Person;
  let mallory: Mallory;
  let workspace: string;
  let files: string;
  let chat: string;
  let target: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    person = await house.move('Mallory');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files, chat] = (await alice.tools(workspace)) as [string, string];
    await house.join(alice, person, workspace, { confirm: false });
    await person.api.post(workspace, chat, 'an honest word');
    await house.converged(workspace, alice, person);
    mallory = await Mallory.of(person, workspace);
    target = (await alice.api.identity()).device;
  });
  afterEach(() => house.close());

  /** What was sent before it has been dealt with: an ordinary post behind it has arrived. */
  async function settled(): Promise<void> {
    const text = toHex(randomBytes(4));
    const arrived = alice.next((e) => e.type === 'chat' && e.posts.some((post) => post.text === text));
    await person.api.post(workspace, chat, text);
    await arrived;
  }
  const texts = async () => (await alice.api.chat(workspace, chat, { limit: 99 })).posts.map((post) => post.text);

  it('K5 garbage, cut and flipped envelopes, an unknown epoch: dropped without a word', async () => {
    const before = await texts();
    const sound = mallory.send(target, { kind: 'presence', state: 1, addresses: [], answer: false });
    for (let length = 0; length < 60; length += 7) mallory.sendBytes(target, sound.subarray(0, length));
    mallory.sendBytes(target, randomBytes(1));
    mallory.sendBytes(target, randomBytes(500_000));
    for (const at of [0, 8, 40, sound.length - 1]) {
      const flipped = Uint8Array.from(sound);
      flipped[at]! ^= 1;
      mallory.sendBytes(target, flipped);
    }
    const other = epochOf(crypto, randomBytes(32));
    mallory.send(target, { kind: 'deltas', runs: [[randomBytes(9)]] }, { key: other });
    await settled();
    assert.equal((await texts()).length, before.length + 1);
    assert.deepEqual(alice.notices, []);
  });

  it('T1 addresses that have the form of some and are none: passed over by the next start, which has them from the disk', async () => {
    const dialled = createServer((socket) => void socket.destroy());
    await new Promise<void>((resolve) => dialled.listen(0, '127.0.0.1', resolve));
    const last = `127.0.0.1:${(dialled.address() as AddressInfo).port}`;
    const addresses = ['999.1.1.1:1', '1.2.3.4.5:1', 'a.5:1', last];
    mallory.send(target, { kind: 'presence', state: 1, addresses, answer: false });
    await settled();
    // With his goodbye he would say where he really is.
    alice.isLost = () => true;
    await person.close();
    await alice.close();
    const anew = once(dialled, 'connection');
    await alice.open();
    // The last of them is reached: she has gone past the others.
    await anew;
    await alice.api.post(workspace, chat, 'still well');
    await new Promise((resolve) => dialled.close(resolve));
  });

  it('L6 who says that the same adds up to something else is told of once, shows in the list, and changes nothing', async () => {
    await settled();
    const before = await texts();
    const alike = () =>
      mallory.send(target, {
        kind: 'have',
        vector: mallory.vector,
        answer: false,
        root: '5e'.repeat(8),
        needsCopy: false,
      });
    // An ack may come between: what is said of other deltas is no alarm.
    await alice.until(async () => {
      alike();
      return (await alice.info(workspace)).sync.differing.length > 0;
    });
    assert.deepEqual((await alice.info(workspace)).sync.differing, ['Mallory']);
    alike();
    await settled();
    const told = alice.notices.filter(({ code }) => code === 'diverged');
    assert.deepEqual(
      told.map(({ detail }) => [detail['member'], detail['name']]),
      [['Mallory', 'Apollo']],
    );
    assert.equal((await texts()).length, before.length + 1);
  });

  it('D10 who writes in words of a newer version is told of once, and shows in the list', async () => {
    assert.deepEqual((await alice.info(workspace)).sync.newer, []);
    const first = mallory.next(chat, 'sing', ['la']);
    const second = mallory.next(undefined, 'from next year', [1], { seq: first.seq + 1, prev: first.id });
    mallory.deltas(target, first);
    await alice.notice('newerVersion');
    const arrived = alice.until(async () =>
      alice
        .known()
        .flatMap(deltasIn)
        .some((bytes) => equalBytes(bytes, second.bytes)),
    );
    mallory.deltas(target, second);
    await arrived;
    assert.deepEqual((await alice.info(workspace)).sync.newer, ['Mallory']);
    const told = alice.notices.filter(({ code }) => code === 'newerVersion');
    assert.deepEqual(
      told.map(({ detail }) => [detail['member'], detail['name']]),
      [['Mallory', 'Apollo']],
    );
  });

  it('S3 a replayed envelope changes nothing', async () => {
    const delta = mallory.next(chat, 'post', ['once']);
    const bytes = mallory.send(target, { kind: 'deltas', runs: [[delta.bytes]] });
    await alice.until(async () => (await texts()).includes('once'));
    for (let i = 0; i < 20; i++) mallory.sendBytes(target, bytes);
    await alice.api.post(workspace, chat, 'still well');
    assert.equal((await texts()).filter((text) => text === 'once').length, 1);
  });

  it("K5 another member's name in the sender's field: dropped", async () => {
    const carol = await house.move('Carol');
    await house.join(alice, carol, workspace, { confirm: false });
    const sender = (await carol.api.identity()).device as DeviceId;
    mallory.send(target, { kind: 'deltas', runs: [[mallory.next(chat, 'post', ['as Carol']).bytes]] }, { sender });
    mallory.send(target, { kind: 'presence', state: 0, addresses: [], answer: false }, { sender });
    await settled();
    assert.equal((await texts()).includes('as Carol'), false);
  });

  it('K5 an envelope and a delta of another workspace: dropped', async () => {
    const second = await person.api.createWorkspace({ name: 'Gemini' });
    const other = await Mallory.of(person, second);
    const foreign = other.next(undefined, 'rename', ['Apollo is mine']);
    other.deltas(target, foreign);
    mallory.deltas(target, foreign);
    await settled();
    assert.equal((await alice.info(workspace)).name, 'Apollo');
    assert.equal((await alice.api.workspaces()).length, 1);
  });

  it('K5 who sends the key of one workspace in another takes nobody’s words from the one, be their author in both', async () => {
    const carol = await house.move('Carol');
    await house.join(alice, carol, workspace, { confirm: false });
    const second = await person.api.createWorkspace({ name: 'Gemini' });
    for (const other of [alice, carol]) await house.join(person, other, second, { confirm: false });
    const other = await Mallory.of(person, second);
    const agreementKey = crypto.agreementKeyOf(Buffer.from(alice.secrets.agreementSecret, 'base64url'));
    for (const [into, from] of [[mallory, other] as const, [other, mallory] as const]) {
      const notice = readEpochNotice(boxEpoch(crypto, from.epoch, [{ device: target as DeviceId, agreementKey }]))!;
      into.send(target, { kind: 'key', notice });
    }
    await settled();
    for (const where of [workspace, second]) {
      const [, talk] = await carol.tools(where);
      await carol.api.post(where, talk!, 'a word of Carol’s');
      await alice.until(async () => {
        const { posts } = await alice.api.chat(where, talk!, { limit: 99 });
        return posts.some(({ text }) => text === 'a word of Carol’s');
      });
    }
  });

  it('D7 a bad signature: dropped, told once with his name, and the honest ones go on', async () => {
    const delta = mallory.next(chat, 'post', ['forged']);
    const forged = Uint8Array.from(delta.bytes);
    forged[forged.length - 1]! ^= 1;
    for (let i = 0; i < 5; i++) mallory.send(target, { kind: 'deltas', runs: [[forged]] });
    mallory.send(target, { kind: 'deltas', runs: [[randomBytes(100)]] });
    await settled();
    assert.equal((await texts()).includes('forged'), false);
    const told = alice.notices.filter(({ code }) => code === 'badDelta');
    assert.deepEqual(
      told.map(({ detail }) => detail['member']),
      ['Mallory'],
    );
  });

  it('D7 a delta in the name of another device: dropped', async () => {
    const stolen = signDelta(crypto, { device: target as DeviceId, seed: mallory.seed }, mallory.workspace, {
      ...mallory.next(chat, 'post', ['as Alice']),
      generation: 7,
      seq: 1,
      prev: undefined,
    });
    mallory.deltas(target, stolen);
    await settled();
    assert.equal((await texts()).includes('as Alice'), false);
    assert.ok(alice.notices.some(({ code }) => code === 'badDelta'));
  });

  it('D5 a past that nobody has: waits without effect, and the others go on', async () => {
    const missing = toHex(randomBytes(32)) as DeltaId;
    mallory.deltas(target, mallory.next(chat, 'post', ['hanging'], { deps: [missing] }));
    mallory.deltas(target, mallory.next(chat, 'post', ['far ahead'], { seq: 99, prev: missing }));
    const back = person.next((e) => e.type === 'chat' && e.posts.some((post) => post.text === 'undisturbed'));
    await alice.api.post(workspace, chat, 'undisturbed');
    await back;
    const seen = await texts();
    assert.equal(seen.includes('hanging') || seen.includes('far ahead'), false);
  });

  it('D8 two histories of one feed: told, the device is not heard any more, what was here stays', async () => {
    const last = mallory.own.at(-1)!;
    mallory.deltas(target, mallory.next(chat, 'post', ['the other story'], { seq: last.seq, prev: last.prev }));
    const notice = await alice.notice('fork');
    assert.equal(notice.detail['member'], 'Mallory');
    const before = await texts();
    assert.ok(before.includes('an honest word') && !before.includes('the other story'));
    mallory.deltas(target, mallory.next(chat, 'post', ['more']));
    await alice.api.post(workspace, chat, 'Alice goes on');
    assert.equal((await texts()).length, before.length + 1);
  });

  it('D8 K2 a manager freezes it: all see it and hold to what he has of it, it reads nothing more, and its person is told', async () => {
    const bob = await house.move('Bob');
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob, person);
    const { device } = mallory;
    const deviceAt = async (by: Person) =>
      (await by.info(workspace)).members.find(({ name }) => name === 'Mallory')!.devices[0]!;
    await assert.rejects(alice.api.freezeDevice(workspace, device), { code: 'notFound' }, 'it has shown one history');
    const last = mallory.own.at(-1)!;
    mallory.deltas(target, mallory.next(chat, 'post', ['the other story'], { seq: last.seq, prev: last.prev }));
    assert.equal((await alice.notice('fork')).detail['device'], device);
    // The proof outlives a restart.
    await alice.close();
    await alice.open();
    assert.deepEqual([(await deviceAt(alice)).forked, (await deviceAt(alice)).mayTakeOut], [true, true]);
    await assert.rejects(bob.api.freezeDevice(workspace, device), { code: 'notFound' });
    await alice.api.freezeDevice(workspace, device);
    for (const by of [alice, bob]) {
      await by.until(async () => (await deviceAt(by)).standing === 'frozen');
      assert.equal((await deviceAt(by)).by, 'Alice');
    }
    assert.deepEqual((await person.notice('frozen')).detail, { name: 'Apollo', member: 'Alice' });
    await person.until(async () => (await person.api.closed()).length === 1);
    assert.equal((await person.api.closed())[0]!.how, 'frozen');
    await assert.rejects(person.api.fetchAgain(workspace), { code: 'notFound' });
    const known = person.records.length;
    await alice.api.post(workspace, chat, 'not for the frozen one');
    await house.converged(workspace, alice, bob);
    assert.ok((await texts()).includes('an honest word'));
    assert.equal(Buffer.concat(person.records.slice(known)).includes('not for the frozen one'), false);
    assert.equal((await alice.info(workspace)).members.length, 3, 'membership stays');
    // The way on: taken out and invited anew, with another device.
    await alice.api.removeMember(workspace, (await person.api.identity()).account);
    await bob.until(async () => (await bob.info(workspace)).members.length === 2);
  });

  it('D9 oversized, empty and misshapen content: void, without trace, and no obstacle', async () => {
    const bodies: [string | undefined, string, Value][] = [
      [chat, 'post', ['x'.repeat(40_000)]],
      [chat, 'post', [7]],
      [chat, 'edit', [new Uint8Array(32), 'nothing there']],
      [files, 'folder', [new Uint8Array(0), 'n'.repeat(300)]],
      [files, 'folder', [new Uint8Array(0), '..']],
      [files, 'folder', [new Uint8Array(0), 'a/b']],
      [files, 'folder', [randomBytes(32), 'in no folder']],
      [files, 'ver', [[idBytes(mallory.own[0]!.id)], ['no', 'content']]],
      [files, 'file', [new Uint8Array(0), 'f', null]],
      ['0102030405060708', 'post', ['to no tool']],
      [undefined, 'rename', ['Mine now']],
      [undefined, 'profile', ['y'.repeat(300), '']],
      [undefined, 'from next year', [1, 2, 3]],
    ];
    const chain: Delta[] = [];
    for (const [tool, kind, body] of bodies) {
      const last = chain.at(-1) ?? mallory.own.at(-1)!;
      chain.push(mallory.next(tool, kind, body, { seq: last.seq + 1, prev: last.id }));
    }
    const last = chain.at(-1)!;
    chain.push(mallory.next(chat, 'post', ['behind them'], { seq: last.seq + 1, prev: last.id }));
    mallory.deltas(target, ...chain);
    await alice.until(async () => (await texts()).includes('behind them'));
    assert.deepEqual(await texts(), ['an honest word', 'behind them']);
    assert.deepEqual(await alice.api.list(workspace, files, '/'), []);
    const info = await alice.info(workspace);
    assert.deepEqual([info.name, info.members.length], ['Apollo', 2]);
    await alice.close();
    await alice.open();
    assert.deepEqual(await texts(), ['an honest word', 'behind them']);
  });

  /** A file of Mallory's whose content is said to be a chunk of another file, of another length. */
  const bait = (of: Content, said: number): Value => {
    assert.ok(of.kind === 'chunks');
    const chunks = [{ ...of.chunks[0]!, bytes: said }];
    const content: Content = { kind: 'chunks', bytes: said, sha256: new Uint8Array(32), chunks, indirect: false };
    return filesBody({ kind: 'file', parent: undefined, name: 'bait.bin', content });
  };
  const planned = seededBytes(100_000, 7);
  /** What Alice has written, as Mallory is told. */
  const plan = async (): Promise<Content> => {
    await alice.write(workspace, files, '/plan.bin', planned);
    await house.converged(workspace, alice, person);
    const contents = person.known().flatMap((record) =>
      deltasIn(record).flatMap((bytes) => {
        const read = readDelta(crypto, mallory.workspace, bytes);
        const said = read.ok ? readFilesDelta(read.value.kind, read.value.body) : undefined;
        return said?.kind === 'file' ? [said.content] : [];
      }),
    );
    return contents.at(-1)!;
  };
  const isListed = (tool: string, of: string) => async () =>
    (await alice.api.list(of, tool, '/')).some(({ name }) => name === 'bait.bin');

  it('F1 L2 who says of another’s chunk that it is longer takes nothing from anybody’s disk, whoever opens that', async () => {
    const content = await plan();
    mallory.deltas(target, mallory.next(files, 'file', bait(content, 100_001)));
    await alice.until(isListed(files, workspace));
    await person.close();
    await alice.close();
    await alice.open();
    await assert.rejects(alice.api.read(workspace, files, '/bait.bin'), { code: 'notPresent' });
    assert.deepEqual(Buffer.from(await alice.api.read(workspace, files, '/plan.bin')), Buffer.from(planned));
  });

  it('F1 K2 who names another workspace’s chunks in his own and takes somebody out of that takes nothing from the other', async () => {
    const content = await plan();
    const gemini = await person.api.createWorkspace({ name: 'Gemini' });
    await house.join(person, alice, gemini, { confirm: false });
    await house.converged(gemini, alice, person);
    const [tool] = (await person.tools(gemini)) as [string];
    await person.close();
    await person.author(gemini, () => [{ tool: tool as ToolId, kind: 'file', body: bait(content, 100_000) }]);
    await person.open();
    await alice.until(isListed(tool, gemini));
    await person.api.removeMember(gemini, (await alice.api.identity()).account);
    await alice.until(async () => (await alice.api.closed()).length === 1 && (await alice.info(gemini)) === undefined);
    await alice.notice('removed');
    await person.close();
    await alice.close();
    await alice.open();
    assert.deepEqual(Buffer.from(await alice.api.read(workspace, files, '/plan.bin')), Buffer.from(planned));
  });

  it('K2 who was removed, and keeps all his keys, is told of nobody who came later, nor where a device is, and is given no content', async () => {
    const path = '/plan.txt';
    await alice.write(workspace, files, path, 'the plan of Apollo '.repeat(400));
    await house.converged(workspace, alice, person);
    const [{ epoch, vector }, chunks] = [mallory, chunksNamedIn(person, workspace)];
    assert.ok(chunks.length > 0);
    const seal = pairSeal(
      crypto,
      mallory.agreement,
      certificateOfFounder(person, workspace),
      workspace as WorkspaceId,
    )!;
    const told = person.notice('removed');
    await alice.api.removeMember(workspace, (await person.api.identity()).account);
    await told;
    await person.close();
    const bob = await house.move('Bob');
    await house.join(alice, bob, workspace, { confirm: false });
    await bob.api.post(workspace, chat, 'after the removal');
    await house.converged(workspace, alice, bob);
    const { device: bobs } = await bob.api.identity();
    const said: Message[] = [];
    const { transport } = alice;
    const send = transport!.send.bind(transport);
    transport!.send = (to, bytes, lane) => {
      if (to !== mallory.device) return send(to, bytes, lane);
      for (const { key } of [epoch, seal]) {
        const plain = openMessage(crypto, { key, workspace: workspace as WorkspaceId }, bytes);
        const read = plain && decodeMessage(plain);
        if (read?.ok) said.push(read.value.message);
      }
      return true;
    };
    const asks: readonly Message[] = [
      { kind: 'have', vector, answer: true, root: '', needsCopy: false },
      { kind: 'presence', state: 1, addresses: [], answer: true },
      { kind: 'want', chunks },
      { kind: 'parcels', parcels: [] },
    ];
    for (const { tag, key } of [epoch, seal])
      for (const message of asks) {
        const plain = encodeMessage(mallory.device, message);
        const bytes = sealMessage(crypto, { tag, key, workspace: workspace as WorkspaceId }, plain);
        await alice.hears({ from: mallory.device, path: 'direct', bytes });
      }
    assert.ok(said.some(({ kind }) => kind === 'have'));
    assert.deepEqual(
      said.filter(({ kind }) => !['have', 'deltas', 'got'].includes(kind)),
      [],
    );
    for (const message of said)
      if (message.kind === 'have') assert.ok(message.vector.every(({ feed }) => !feed.startsWith(bobs)));
    transport!.send = send;
  });

  it('F4 names that some system refuses are shown safely, and reach no other place', async () => {
    const names = ['aux.c', 'a:b?.txt', 'ends with dot.', '\u202egnp.exe', 'CON', 'ok.txt', 'OK.txt'];
    const chain: Delta[] = [];
    for (const name of names) {
      const last = chain.at(-1) ?? mallory.own.at(-1)!;
      chain.push(mallory.next(files, 'folder', [new Uint8Array(0), name], { seq: last.seq + 1, prev: last.id }));
    }
    mallory.deltas(target, ...chain);
    await alice.until(async () => (await alice.api.list(workspace, files, '/')).length === names.length);
    const shown = (await alice.api.list(workspace, files, '/')).map((entry) => entry.name);
    assert.equal(new Set(shown.map((name) => name.toLowerCase())).size, names.length);
    for (const name of shown) assert.doesNotMatch(name, /[<>:"|?*\\/\u202e]|[. ]$|^(aux|con)(\.|$)/i);
    for (const name of shown) assert.equal((await alice.api.stat(workspace, files, `/${name}`)).name, name);
  });

  it('N2, S1 words out of place and endless requests: no answer, no harm', async () => {
    mallory.send(target, { kind: 'welcome', admit: randomBytes(60), total: 9, certificate: randomBytes(300) });
    mallory.send(target, { kind: 'declined', reason: 0, to: target.slice(0, 16) });
    mallory.send(target, {
      kind: 'join',
      certificate: randomBytes(300),
      name: 'Nobody',
      relay: '',
      addresses: [],
      since: [],
      signature: randomBytes(64),
    });
    mallory.send(target, { kind: 'askAnew', since: [toHex(randomBytes(32)) as DeltaId] });
    const chunks = Array.from({ length: 2_000 }, () => toHex(randomBytes(32)) as never);
    for (let i = 0; i < 20; i++) mallory.send(target, { kind: 'want', chunks });
    mallory.send(target, { kind: 'chunks', chunks: [{ id: chunks[0]!, bytes: randomBytes(900) }], absent: chunks });
    mallory.send(target, {
      kind: 'parcels',
      parcels: [{ relay: 'nonsense', parcel: randomBytes(32), chunks: [{ id: chunks[0]!, offset: 0, length: 9 }] }],
    });
    mallory.send(target, {
      kind: 'have',
      vector: [{ feed: `${target}.0` as never, seq: 9e9, tip: '00'.repeat(8) }],
      answer: true,
      root: '',
      needsCopy: false,
    });
    await settled();
    assert.deepEqual(await alice.api.joinRequests(), []);
    assert.equal((await alice.info(workspace)).sync.missingChunks, 0);
  });
});

/** Of whatever files he has heard of. */
function chunksNamedIn(person: Person, workspace: string): readonly ChunkId[] {
  return deltasOf(person, workspace).flatMap(({ kind, body }) => {
    const delta = readFilesDelta(kind, body);
    return delta?.kind === 'file' && delta.content.kind === 'chunks' ? delta.content.chunks.map(({ id }) => id) : [];
  });
}

function certificateOfFounder(person: Person, workspace: string): Certificate {
  const genesis = deltasOf(person, workspace).find(({ kind }) => kind === 'genesis')!;
  const control = readControl(crypto, genesis);
  assert.ok(control?.kind === 'genesis');
  return control.certificates[0]!;
}

function deltasOf(person: Person, workspace: string): readonly Delta[] {
  const records = person.known().flatMap((record) => (record.kind === 'local' ? [] : [record]));
  return records
    .filter((record) => record.workspace === workspace)
    .flatMap((record) => deltasIn(record))
    .flatMap((bytes) => {
      const read = readDelta(crypto, workspace as WorkspaceId, bytes);
      return read.ok ? [read.value] : [];
    });
}

describe('A guest', function () {
  this.timeout(30_000);
  it('A5, D9 reads and cannot write: told before anything is written, and nothing stays behind', async () => {
    const house = await House.build();
    try {
      const alice = await house.move('Alice');
      const guest = await house.move('Guest');
      const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
      const [files, chat] = (await alice.tools(workspace)) as [string, string];
      await alice.write(workspace, files, '/a.txt', 'hers\n');
      const post = await alice.api.post(workspace, chat, 'hers');
      await house.join(alice, guest, workspace, { confirm: false, role: 'guest' });
      const before = await house.converged(workspace, alice, guest);
      const written = guest.known().flatMap(deltasIn).length;
      const refused = { code: 'notPermitted' };
      const { api } = guest;
      await assert.rejects(api.post(workspace, chat, 'mine'), refused);
      await assert.rejects(api.editPost(workspace, chat, post.id, 'mine'), refused);
      await assert.rejects(api.deletePost(workspace, chat, post.id), refused);
      await assert.rejects(guest.write(workspace, files, '/a.txt', 'mine\n'), refused);
      await assert.rejects(guest.write(workspace, files, '/b.txt', 'mine\n'), refused);
      await assert.rejects(api.makeFolder(workspace, files, '/folder'), refused);
      await assert.rejects(api.rename(workspace, files, '/a.txt', '/b.txt', { overwrite: false }), refused);
      await assert.rejects(api.remove(workspace, files, '/a.txt', { recursive: false }), refused);
      await assert.rejects(api.copy(workspace, files, '/a.txt', '/b.txt', { overwrite: false }), refused);
      await assert.rejects(api.addTool(workspace, 'chat', 'Mine'), refused);
      await assert.rejects(api.renameWorkspace(workspace, 'Mine'), refused);
      await assert.rejects(
        api.invite(workspace, { role: 'guest', expiresInMs: 9_999, uses: 1, confirm: false, scheme: 'vscode' }),
        refused,
      );
      assert.equal(guest.known().flatMap(deltasIn).length, written);
      assert.deepEqual(await guest.listing(workspace), before);
    } finally {
      await house.close();
    }
  });

  it('A5 a participant deletes his own files and not others’, a whole folder or none of it', async () => {
    const house = await House.build();
    try {
      const alice = await house.move('Alice');
      const bob = await house.move('Bob');
      const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
      const [files] = (await alice.tools(workspace)) as [string];
      await house.join(alice, bob, workspace, { confirm: false });
      await bob.api.makeFolder(workspace, files, '/shared');
      await bob.write(workspace, files, '/shared/bobs.txt', 'his\n');
      await house.converged(workspace, alice, bob);
      await alice.write(workspace, files, '/shared/alices.txt', 'hers\n');
      const before = await house.converged(workspace, alice, bob);
      await assert.rejects(bob.api.remove(workspace, files, '/shared', { recursive: true }), { code: 'notPermitted' });
      assert.deepEqual(await house.converged(workspace, alice, bob), before);
      await bob.api.remove(workspace, files, '/shared/bobs.txt', { recursive: false });
      assert.equal((await house.converged(workspace, alice, bob)).length, 2);
    } finally {
      await house.close();
    }
  });
});
