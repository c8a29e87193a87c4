import assert from 'node:assert/strict';
import type { ChunkId, DeviceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { MAX_LACKING_CHUNKS, MAX_OFFERED_CHUNKS, MAX_OFFERED_PARCELS } from '../../src/protocol/limits.ts';
import { beyondRoom, ChunkExchange } from '../../src/service/chunk-exchange.ts';
import { StoreError, type Transport } from '../../src/sync/ports.ts';
import { generationKey } from '../../src/sync/epoch.ts';
import { sealChunk } from '../../src/tools/files/content.ts';
import { MemoryChunks } from '../fakes/memory-chunks.ts';

const crypto = nodeCrypto();
const [bob, carol] = ['bb' as DeviceId, 'cc' as DeviceId];

/** One device that lacks chunks, with Bob on a direct path. `given`: how many bytes of a parcel its relay gives at a time, whatever it is asked for. */
function world(given?: number, maxLacking?: number) {
  const keys = new Map<string, Uint8Array>();
  const chunks = new MemoryChunks();
  const wants: (readonly ChunkId[])[] = [];
  const locked: string[] = [];
  const left: string[] = [];
  const fetched: (readonly [offset: number, length: number])[] = [];
  const sent: (readonly ChunkId[])[] = [];
  const notices: (readonly [to: readonly DeviceId[], ids: readonly ChunkId[]])[] = [];
  const alarms: (() => void)[] = [];
  const disk = { isFailing: false };
  const there = [bob];
  const [time, away, byRelay] = [{ now: 0 }, new Set<DeviceId>(), [] as (readonly ChunkId[])[]];
  const path = { isFull: false, relayTakes: Promise.resolve(), hisRelayAnswers: Promise.resolve() };
  const exchange = new ChunkExchange({
    ...(maxLacking === undefined ? {} : { maxLacking }),
    crypto,
    chunks,
    clock: {
      now: () => time.now,
      wakeAt: (_, ring) => {
        alarms.push(ring);
        return () => undefined;
      },
    },
    keys: { find: (generation) => keys.get(generation), current: () => assert.fail('nothing is written here') },
    transport: {
      reach: (device) => (away.has(device) ? 'none' : 'direct'),
      getParcel: (_: string, __: Uint8Array, offset: number, length: number) => {
        fetched.push([offset, length]);
        return Promise.resolve({ total: 2 ** 40, bytes: new Uint8Array(given ?? length) });
      },
      putParcel: (_: Uint8Array, bytes: Uint8Array) => {
        left.push(Buffer.from(bytes).toString('hex'));
        return path.relayTakes;
      },
    } as Partial<Transport> as Transport,
    relay: () => 'coterie-relay://here/key/token',
    devices: () => there,
    sendDirect: (_, message) => {
      if (message.kind === 'want') wants.push(message.chunks);
      if (message.kind === 'chunks' && path.isFull) return false;
      if (message.kind === 'chunks') sent.push([...message.chunks.map(({ id }) => id), ...message.absent]);
      return true;
    },
    sendByRelay: async (devices, message) => {
      assert.ok(
        devices.every((device) => away.has(device)),
        'whoever is here is not spoken to by relay',
      );
      if (message.kind === 'want') byRelay.push(message.chunks);
      if (message.kind === 'parcels')
        notices.push([devices, message.parcels.flatMap((one) => one.chunks.map(({ id }) => id))]);
      await path.hisRelayAnswers;
      return true;
    },
    isDiskFailing: () => disk.isFailing,
    onArrived: () => undefined,
    onProgress: () => undefined,
    onLocked: (generation) => locked.push(generation),
    onWhole: () => undefined,
    onFault: (error) => assert.fail(String(error)),
  });
  const sealed = (generation: string, text: string) => {
    const key = generationKey(crypto, new Uint8Array(32).fill(generation.length));
    const plaintext = Buffer.from(text);
    return { key, ref: { generation, bytes: plaintext.length }, ...sealChunk(crypto, key, plaintext) };
  };
  const asked = { wants, byRelay, fetched, locked };
  return { exchange, keys, chunks, ...asked, sent, left, notices, alarms, disk, path, there, away, time, sealed };
}

/** Whatever waits for nothing but its turn has had it. */
async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await Promise.resolve();
}

describe('The exchange of chunks', () => {
  it('F1, K1 what is under a key that is not here is asked for when the key has come, and not before', async () => {
    const { exchange, keys, chunks, wants, locked, sealed } = world();
    const [old, now] = [sealed('old', 'from before'), sealed('newest', 'since')];
    keys.set('newest', now.key);
    exchange.need([old, now].map(({ id, ref }) => ({ id, ...ref })));
    assert.deepEqual([wants, locked], [[[now.id]], ['old']]);
    await exchange.received(bob, { kind: 'chunks', chunks: [now], absent: [] });
    assert.deepEqual([wants.length, exchange.lackingChunks], [1, 1]);
    keys.set('old', old.key);
    exchange.pump();
    assert.deepEqual(wants.at(-1), [old.id]);
    await exchange.received(bob, { kind: 'chunks', chunks: [old], absent: [] });
    assert.deepEqual([exchange.lackingChunks, chunks.held.size], [0, 2]);
  });

  it('F1 R9 what several are left at once goes to the relay once', async () => {
    const { exchange, chunks, left, sealed } = world();
    const [one, two] = [sealed('newest', 'for both'), sealed('newest', 'for the second')];
    for (const { id, bytes } of [one, two]) await chunks.put(id, bytes);
    const all = await Promise.all([
      exchange.leave([one.id]),
      exchange.leave([one.id, two.id]),
      exchange.leave([one.id]),
    ]);
    assert.deepEqual(
      left,
      [one, two].map(({ bytes }) => Buffer.from(bytes).toString('hex')),
    );
    assert.deepEqual(
      all.map((notices) => notices.flatMap((notice) => notice.chunks.map(({ id }) => id))),
      [[one.id], [one.id, two.id], [one.id]],
    );
  });

  it('F1 whoever asks for a chunk many times over is given it once', async () => {
    const { exchange, chunks, sent, sealed } = world();
    const [here, other] = [sealed('newest', 'is here'), sealed('newest', 'is not')];
    await chunks.put(here.id, here.bytes);
    await exchange.wanted(
      bob,
      'direct',
      Array.from({ length: 29_000 }, (_, n) => (n % 2 ? here.id : other.id)),
    );
    assert.deepEqual(sent, [[here.id, other.id]]);
  });

  it('F1 D4 whoever asks on and takes nothing is read for once', async () => {
    const { exchange, chunks, sent, alarms, path, sealed } = world();
    const chunk = sealed('newest', 'is here');
    await chunks.put(chunk.id, chunk.bytes);
    let read = 0;
    const get = chunks.get.bind(chunks);
    chunks.get = (id) => (read++, get(id));
    path.isFull = true;
    const asking = Array.from({ length: 100 }, () => exchange.wanted(bob, 'direct', [chunk.id]));
    await turns(10);
    asking.push(...Array.from({ length: 100 }, () => exchange.wanted(bob, 'direct', [chunk.id])));
    path.isFull = false;
    await turns(10);
    for (const ring of alarms.splice(0)) ring();
    await Promise.all(asking);
    assert.deepEqual([read, sent], [1, [[chunk.id]]]);
    await exchange.wanted(bob, 'direct', [chunk.id]);
    assert.equal(sent.length, 2, 'he takes it again');
  });

  it('R9 D4 S4 what many ask for by relay is read and left one after the other, though their relays do not answer', async () => {
    const { exchange, chunks, left, notices, path, away, sealed } = world();
    const all = ['for Bob', 'for him, too', 'for Carol'].map((text) => sealed('newest', text));
    for (const { id, bytes } of all) await chunks.put(id, bytes);
    const [first, second, third] = all.map(({ id }) => id) as [ChunkId, ChunkId, ChunkId];
    for (const device of [bob, carol]) away.add(device);
    path.hisRelayAnswers = new Promise(() => undefined);
    let take = (): void => undefined;
    path.relayTakes = new Promise((resolve) => (take = resolve));
    await exchange.wanted(bob, 'relay', [first]);
    await exchange.wanted(bob, 'relay', [second]);
    await exchange.wanted(carol, 'relay', [third]);
    for (let times = 0; times < 100; times++) await exchange.wanted(bob, 'relay', [second]);
    await turns(50);
    assert.deepEqual([left.length, notices], [1, []]);
    take();
    await turns(100);
    assert.deepEqual(notices, [
      [[bob], [first]],
      [[bob], [second]],
      [[carol], [third]],
    ]);
    assert.equal(left.length, 3);
  });

  it('F1 who has said that he lacks what nobody asked for is asked all the same when it is lacking', async () => {
    const { exchange, keys, wants, sealed } = world();
    const chunk = sealed('newest', 'to come');
    keys.set('newest', chunk.key);
    await exchange.received(bob, { kind: 'chunks', chunks: [], absent: [chunk.id] });
    exchange.need([{ id: chunk.id, ...chunk.ref }]);
    assert.deepEqual(wants, [[chunk.id]]);
  });

  it('F1 R9 only so many parcels are remembered that others offer, however long they are: the newest', () => {
    assert.equal(beyondRoom([]), 0);
    assert.equal(beyondRoom(Array.from({ length: MAX_OFFERED_PARCELS }, () => 1)), 0);
    assert.equal(beyondRoom(Array.from({ length: MAX_OFFERED_PARCELS + 3 }, () => 1)), 3);
    assert.equal(beyondRoom([5, MAX_OFFERED_CHUNKS - 1, 1]), 1);
    assert.equal(beyondRoom([MAX_OFFERED_CHUNKS + 1]), 1);
  });

  it('F1 who sends something else under the name of a chunk is asked again when he has got more, and not at once', async () => {
    const { exchange, keys, chunks, wants, sealed } = world();
    const chunk = sealed('newest', 'as it was written');
    keys.set('newest', chunk.key);
    exchange.need([{ id: chunk.id, ...chunk.ref }]);
    const other = sealed('newest', 'something else now');
    await exchange.received(bob, { kind: 'chunks', chunks: [{ id: chunk.id, bytes: other.bytes }], absent: [] });
    assert.deepEqual([wants, chunks.held.size], [[[chunk.id]], 0]);
    exchange.refresh(bob);
    assert.deepEqual(wants, [[chunk.id], [chunk.id]]);
    await exchange.received(bob, { kind: 'chunks', chunks: [chunk], absent: [] });
    assert.equal(exchange.lackingChunks, 0);
  });

  it('F1 who lies about a chunk before the one whose it is has named it keeps nobody from getting it', async () => {
    const { exchange, keys, chunks, wants, sealed } = world();
    const chunk = sealed('newest', 'as it was written');
    keys.set('newest', chunk.key);
    exchange.need([{ id: chunk.id, generation: 'newest', bytes: 5 }]);
    exchange.need([{ id: chunk.id, generation: 'unheard of', bytes: chunk.ref.bytes }]);
    exchange.need([{ id: chunk.id, ...chunk.ref }]);
    assert.deepEqual([wants, exchange.lackingChunks], [[[chunk.id]], 1]);
    await exchange.received(bob, { kind: 'chunks', chunks: [chunk], absent: [] });
    assert.deepEqual([chunks.held.size, exchange.lackingChunks, exchange.lackingBytes], [1, 0, 0]);
  });

  it('F1 L2 what is not as a version says stays till what is has come', async () => {
    const { exchange, keys, chunks, wants, sealed } = world();
    const chunk = sealed('newest', 'as it was written');
    keys.set('newest', chunk.key);
    await chunks.put(chunk.id, chunk.bytes);
    exchange.replace({ id: chunk.id, generation: 'newest', bytes: 5 });
    await exchange.received(bob, { kind: 'chunks', chunks: [chunk], absent: [] });
    assert.deepEqual([wants, chunks.held.get(chunk.id)], [[[chunk.id]], chunk.bytes]);
    const damaged = chunk.bytes.with(0, chunk.bytes[0]! ^ 1);
    await chunks.put(chunk.id, damaged);
    exchange.refresh(bob);
    await exchange.received(bob, { kind: 'chunks', chunks: [], absent: [chunk.id] });
    assert.deepEqual(chunks.held.get(chunk.id), damaged);
    exchange.replace({ id: chunk.id, ...chunk.ref });
    exchange.refresh(bob);
    await exchange.received(bob, { kind: 'chunks', chunks: [chunk], absent: [] });
    assert.deepEqual(chunks.held.get(chunk.id), chunk.bytes);
  });

  it('F1, L2 what was given up while it was made durable for somebody else is lacking still, and the rest of it has come', async () => {
    const { exchange, keys, chunks, sealed } = world();
    const [lost, kept] = [sealed('newest', 'is not on the disk'), sealed('newest', 'is on the disk')];
    keys.set('newest', lost.key);
    exchange.need([lost, kept].map(({ id, ref }) => ({ id, ...ref })));
    chunks.sync = async () => void chunks.held.delete(lost.id);
    await assert.rejects(exchange.received(bob, { kind: 'chunks', chunks: [lost, kept], absent: [] }), { code: 'io' });
    assert.deepEqual([exchange.lackingChunks, exchange.lackingBytes], [1, lost.ref.bytes]);
    chunks.sync = () => Promise.resolve();
    await exchange.received(bob, { kind: 'chunks', chunks: [lost], absent: [] });
    assert.deepEqual([exchange.lackingChunks, chunks.held.size], [0, 2]);
  });

  it('F1, D4 what is opened is fetched however much is lacking, and what there was no room for counts until it is named again', async () => {
    const { exchange, keys, wants, sealed } = world(undefined, 8);
    const lies = Array.from({ length: 9 }, (_, n) => sealed('newest', `made up ${n}`));
    const chunk = sealed('newest', 'is opened');
    keys.set('newest', chunk.key);
    exchange.need([{ id: chunk.id, ...chunk.ref }]);
    exchange.need(lies.map(({ id, ref }) => ({ id, ...ref })));
    assert.ok(exchange.dropped > 0 && exchange.lackingChunks <= 9);
    await exchange.received(bob, { kind: 'chunks', chunks: [], absent: [chunk, ...lies].map(({ id }) => id) });
    const fetched = exchange.fetch([{ id: chunk.id, ...chunk.ref }]);
    assert.deepEqual(wants.at(-1), [chunk.id]);
    await exchange.received(bob, { kind: 'chunks', chunks: [chunk], absent: [] });
    assert.ok(await fetched);
    await exchange.received(bob, { kind: 'chunks', chunks: lies, absent: [] });
    assert.equal(exchange.lackingChunks, 1);
    exchange.allNamed();
    assert.equal(exchange.lackingChunks, 0);
  });

  it('F1 what one does not answer, or leaves unanswered when it goes, another is asked for', async () => {
    const { exchange, keys, wants, alarms, there, sealed } = world();
    const chunk = sealed('newest', 'as it was written');
    keys.set('newest', chunk.key);
    exchange.need([{ id: chunk.id, ...chunk.ref }]);
    for (const ring of alarms.splice(0)) ring();
    assert.deepEqual(wants, [[chunk.id], [chunk.id]]);
    there.push(carol);
    exchange.pump();
    assert.equal(wants.length, 2);
    there.shift();
    exchange.pump();
    assert.deepEqual(wants, [[chunk.id], [chunk.id], [chunk.id]]);
    await exchange.received(carol, { kind: 'chunks', chunks: [], absent: [chunk.id] });
    there.push(bob);
    exchange.pump();
    assert.equal(wants.length, 4);
  });

  it('F1, D4 a word of somebody takes no longer when as much is lacking as may be, and he has none of it', async function () {
    this.timeout(60_000);
    const { exchange, keys } = world();
    keys.set('newest', new Uint8Array(32));
    const ids = Array.from({ length: MAX_LACKING_CHUNKS }, (_, n) => n.toString(16).padStart(64, '0') as ChunkId);
    exchange.need(ids.map((id) => ({ id, generation: 'newest', bytes: 1 })));
    await exchange.received(bob, { kind: 'chunks', chunks: [], absent: ids });
    const began = performance.now();
    for (let times = 0; times < 500; times++) exchange.refresh(carol);
    // Looking through all of it each time took 16 seconds.
    assert.ok(performance.now() - began < 1_000);
  });

  it('R9 a relay that gives less than it is asked for is asked for nothing more of it', async () => {
    const { exchange, keys, fetched, sealed } = world(1);
    const chunk = sealed('newest', 'drop by drop');
    keys.set('newest', chunk.key);
    exchange.need([{ id: chunk.id, ...chunk.ref }]);
    const chunks = [{ id: chunk.id, offset: 0, length: chunk.bytes.length }];
    exchange.offered([{ relay: 'coterie-relay://there/key', parcel: new Uint8Array(32), chunks }]);
    await turns(100);
    assert.deepEqual(fetched, [[0, chunk.bytes.length]]);
  });

  it('F1, L1 while the disk takes nothing nobody is asked for content and no parcel is fetched, and both are when it does', async () => {
    const { exchange, keys, chunks, wants, fetched, alarms, disk, sealed } = world();
    const [one, two] = [sealed('newest', 'was asked for'), sealed('newest', 'is in a parcel')];
    keys.set('newest', one.key);
    exchange.need([{ id: one.id, ...one.ref }]);
    disk.isFailing = true;
    chunks.put = () => Promise.reject(new StoreError('diskFull', 'no space left'));
    await assert.rejects(exchange.received(bob, { kind: 'chunks', chunks: [one], absent: [] }), StoreError);
    for (const ring of alarms.splice(0)) ring(); // it has waited long enough for an answer
    exchange.need([{ id: two.id, ...two.ref }]);
    const places = [{ id: two.id, offset: 0, length: two.bytes.length }];
    exchange.offered([{ relay: 'coterie-relay://there/key', parcel: new Uint8Array(32), chunks: places }]);
    exchange.refresh(bob);
    assert.deepEqual([wants, fetched], [[[one.id]], []]);
    disk.isFailing = false;
    exchange.pump();
    assert.deepEqual(wants.at(-1), [one.id, two.id]);
    assert.deepEqual(fetched, [[0, two.bytes.length]]);
  });

  it('R9 a clock that is set back keeps nothing from being asked for by relay again, nor from being left there again', async () => {
    const { exchange, keys, chunks, byRelay, left, away, time, sealed } = world();
    const [mine, his] = [sealed('newest', 'is here'), sealed('newest', 'is not')];
    keys.set('newest', his.key);
    await chunks.put(mine.id, mine.bytes);
    away.add(bob);
    time.now = 3_600_000;
    exchange.need([{ id: his.id, ...his.ref }]);
    await exchange.wanted(bob, 'relay', [mine.id]);
    await turns(50);
    time.now = 1_000;
    for (let times = 0; times < 3; times++) exchange.pump();
    for (let times = 0; times < 3; times++) {
      await exchange.wanted(bob, 'relay', [mine.id]);
      await turns(50);
    }
    assert.deepEqual([byRelay, left.length], [[[his.id], [his.id]], 2]);
  });

  it('R9 nor, where very much is lacking, from being looked at for that', () => {
    const { exchange, keys, byRelay, away, time, sealed } = world();
    const { id, ref, key } = sealed('newest', 'was not lacking then');
    keys.set('newest', key);
    away.add(bob);
    time.now = 3_600_000;
    const ids = Array.from({ length: 2_000 }, (_, n) => n.toString(16).padStart(64, '0') as ChunkId);
    exchange.need(ids.map((one) => ({ id: one, generation: 'newest', bytes: 1 })));
    for (let n = 0; n < 20; n++) {
      time.now += 100;
      exchange.pump();
    }
    assert.equal(byRelay.flat().length, 2_000);
    time.now = 1_000;
    exchange.hurry([{ id, ...ref }]);
    assert.ok(byRelay.at(-1)!.includes(id));
  });

  it('F1 who opens a file is not kept waiting by a clock that is set back', async () => {
    const { exchange, keys, alarms, time, sealed } = world();
    const { id, ref, key } = sealed('newest', 'is nowhere');
    keys.set('newest', key);
    time.now = 3_600_000;
    const opened = exchange.fetch([{ id, ...ref }]);
    time.now = 1_000;
    for (const ring of alarms.splice(0)) ring();
    assert.equal(await Promise.race([opened, turns(100)]), false);
  });
});
