import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../src/base/bytes.ts';
import { RELAY_PARCEL_EACH_BYTES } from '../../src/protocol/limits.ts';
import { Code } from '../../src/protocol/relay-messages.ts';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import { Parcels } from '../../src/relay/parcels.ts';
import { openThreadedStore } from '../../src/relay/store-thread.ts';
import type { RelayStore } from '../../src/relay/store.ts';
import { memoryRelayStore } from '../fakes/memory-relay-store.ts';
import { crypto, person, type Device } from './device.ts';
import { House } from './house.ts';

describe('relay: parcels', () => {
  const alice = person('Alice');
  const laptop = person("Alice's laptop", alice.accountSeed);
  const bob = person('Bob');
  let house: House;
  beforeEach(() => (house = new House()));
  afterEach(() => house.end());

  const put = async (at: Device, parcel: Uint8Array, whole: Uint8Array, offset: number, length: number) => {
    const bytes = whole.subarray(offset, offset + length);
    const answer = await at.request({ type: 'parcelPut', parcel, total: whole.length, offset, bytes });
    return [answer.code, answer.value];
  };
  const get = async (at: Device, parcel: Uint8Array, offset: number, length: number) => {
    const { code, value } = await at.request({ type: 'parcelGet', parcel, offset, length });
    const [total, bytes] = (value ?? []) as [number?, Uint8Array?];
    return { code, total, bytes: bytes && Buffer.from(bytes) };
  };

  it('R9 is put in slices, resumed where it stopped after a restart, and read in ranges by whoever has its id', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    const whole = Buffer.from(crypto.randomBytes(900_000));
    const first = await house.member(alice);
    assert.deepEqual(await put(first, id, whole, 0, 400_000), [Code.ok, 400_000]);
    assert.equal((await get(first, id, 0, 10)).code, Code.notFound, 'what is not whole is not there');

    await house.restart();
    const second = await house.member(alice);
    assert.deepEqual(await put(second, id, whole, 0, 400_000), [Code.ok, 400_000], 'says where to go on');
    assert.deepEqual(await put(second, id, whole, 700_000, 100_000), [Code.ok, 400_000], 'and leaves no hole');
    assert.deepEqual(await put(second, id, whole, 400_000, 500_000), [Code.ok, 900_000]);
    assert.deepEqual(await put(second, id, whole, 400_000, 500_000), [Code.ok, 900_000], 'a repeat changes nothing');

    const reader = await house.connect(bob);
    const parts = [await get(reader, id, 0, 500_000), await get(reader, id, 500_000, 524_288)];
    assert.deepEqual(Buffer.concat(parts.map((part) => part.bytes!)), whole);
    assert.equal(parts[0]!.total, whole.length);
    assert.deepEqual((await get(reader, id, 900_000, 10)).bytes, Buffer.alloc(0));
    assert.equal((await get(reader, crypto.randomBytes(32), 0, 10)).code, Code.notFound);
  });

  it('R9 bytes of a crash, written but never acknowledged, are not taken for content', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    const whole = Buffer.from(crypto.randomBytes(1_000));
    await put(await house.member(alice), id, whole, 0, 600);
    const path = join(house.folder, 'parcels', toHex(id).slice(0, 2), toHex(id));
    writeFileSync(path, Buffer.alloc(300, 'z'), { flag: 'a' });
    await house.restart();
    const again = await house.member(alice);
    assert.deepEqual(await put(again, id, whole, 600, 400), [Code.ok, 1_000]);
    assert.deepEqual((await get(again, id, 0, 1_000)).bytes, whole);
  });

  it('R9 a file that the disk has lost a part of is not handed out', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    const atAlice = await house.member(alice);
    await put(atAlice, id, Buffer.alloc(1_000, 'a'), 0, 1_000);
    truncateSync(join(house.folder, 'parcels', toHex(id).slice(0, 2), toHex(id)), 500);
    assert.equal((await get(atAlice, id, 0, 1_000)).code, Code.notFound);
  });

  it('R9 only its account keeps or drops it, from any of its devices', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    await put(await house.member(alice), id, Buffer.alloc(10), 0, 10);
    const atBob = await house.member(bob);
    const keep = (at: Device, references: number) => at.code({ type: 'parcelKeep', parcel: id, references });
    assert.equal(await keep(atBob, 0), Code.refused);
    assert.deepEqual((await put(atBob, id, Buffer.alloc(10), 0, 10))[0], Code.refused);
    assert.equal((await get(atBob, id, 0, 10)).code, Code.ok);
    const atLaptop = await house.member(laptop);
    assert.equal(await keep(atLaptop, 2), Code.ok);
    assert.equal(await keep(atLaptop, 0), Code.ok);
    assert.equal(await keep(atLaptop, 0), Code.notFound);
    assert.equal((await get(atBob, id, 0, 10)).code, Code.notFound);
    assert.deepEqual(readdirSync(join(house.folder, 'parcels', toHex(id).slice(0, 2))), []);
  });

  it('R9 an account has its quota, over all its devices; what it drops makes room', async () => {
    await house.start({ limits: { parcelQuotaBytes: 1_000 + RELAY_PARCEL_EACH_BYTES } });
    const atAlice = await house.member(alice);
    const atLaptop = await house.member(laptop);
    const id = crypto.randomBytes(32);
    assert.deepEqual(await put(atAlice, id, Buffer.alloc(600), 0, 600), [Code.ok, 600]);
    assert.deepEqual((await put(atLaptop, crypto.randomBytes(32), Buffer.alloc(600), 0, 600))[0], Code.quota);
    assert.deepEqual(await put(await house.member(bob), crypto.randomBytes(32), Buffer.alloc(600), 0, 600), [
      Code.ok,
      600,
    ]);
    await atAlice.code({ type: 'parcelKeep', parcel: id, references: 0 });
    assert.deepEqual(await put(atLaptop, crypto.randomBytes(32), Buffer.alloc(600), 0, 600), [Code.ok, 600]);
  });

  it('R9 the smallest parcel counts 64 KiB, and what makes room is known after a restart and an expiry', async () => {
    const day = 86_400_000;
    let now = 1_000 * day;
    const options = { limits: { parcelQuotaBytes: 3 * (RELAY_PARCEL_EACH_BYTES + 1) }, now: () => now };
    await house.start(options);
    const byte = new Uint8Array(1);
    const ids = Array.from({ length: 4 }, () => crypto.randomBytes(32));
    const codes = async (at: Device, some: readonly Uint8Array[]) =>
      (await Promise.all(some.map((id) => put(at, id, byte, 0, 1)))).map(([code]) => code);
    const first = await house.member(alice);
    assert.deepEqual(await codes(first, ids), [Code.ok, Code.ok, Code.ok, Code.quota]);
    assert.deepEqual(await codes(first, ids), [Code.ok, Code.ok, Code.ok, Code.quota], 'who asks again is not charged');
    await house.restart(options);
    const second = await house.member(alice);
    assert.deepEqual(await codes(second, ids), [Code.ok, Code.ok, Code.ok, Code.quota]);
    await second.code({ type: 'parcelKeep', parcel: ids[0]!, references: 0 });
    assert.deepEqual(await codes(second, [ids[3]!, ids[0]!]), [Code.ok, Code.quota]);
    now += 40 * day;
    await house.relay.expire();
    assert.deepEqual(await codes(second, ids), [Code.ok, Code.ok, Code.ok, Code.quota]);
  });

  it('R9 who only asks, or begins in the middle, leaves no row behind', async () => {
    const store = await openThreadedStore(house.folder, DEFAULT_LIMITS);
    try {
      const parcels = await parcelsOn(store);
      for (const [offset, bytes] of [
        [0, 0],
        [1, 0],
        [1, 1],
      ] as const) {
        const answer = await parcels.put(crypto.randomBytes(32), alice.id, 2, offset, new Uint8Array(bytes), 0);
        assert.deepEqual(answer, { code: Code.ok, next: 0 });
      }
      assert.deepEqual(await store.parcelIds(), []);
    } finally {
      await store.close();
    }
  });

  it('R9 only a registered device may put; a size may not change, nor be nothing', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    assert.equal((await put(await house.connect(bob), id, Buffer.alloc(10), 0, 10))[0], Code.notRegistered);
    const atAlice = await house.member(alice);
    assert.deepEqual(await put(atAlice, id, Buffer.alloc(0), 0, 0), [Code.badRequest, 0]);
    await put(atAlice, id, Buffer.alloc(10), 0, 5);
    assert.equal((await put(atAlice, id, Buffer.alloc(11), 5, 6))[0], Code.badRequest);
  });

  it('R9 slices of one parcel that come at once are written one after another', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    const whole = Buffer.from(crypto.randomBytes(500_000));
    const atAlice = await house.member(alice);
    const answers = await Promise.all([0, 1, 2, 3, 4].map((i) => put(atAlice, id, whole, i * 100_000, 100_000)));
    assert.deepEqual(answers.at(-1), [Code.ok, 500_000]);
    assert.deepEqual((await get(atAlice, id, 0, 500_000)).bytes, whole);
  });

  it('R9 what nobody keeps expires, and files of no parcel are swept', async () => {
    const day = 86_400_000;
    let now = 1_000 * day;
    await house.start({ now: () => now });
    const [kept, left] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const atAlice = await house.member(alice);
    for (const id of [kept, left]) await put(atAlice, id, Buffer.alloc(10), 0, 10);
    now += 20 * day;
    await atAlice.code({ type: 'parcelKeep', parcel: kept, references: 1 });
    now += 20 * day;
    await house.relay.expire();
    assert.deepEqual(
      [(await get(atAlice, kept, 0, 1)).code, (await get(atAlice, left, 0, 1)).code],
      [Code.ok, Code.notFound],
    );
    assert.deepEqual([existsSync(fileOf(kept)), existsSync(fileOf(left))], [true, false]);

    const stray = join(house.folder, 'parcels', 'ff');
    mkdirSync(stray, { recursive: true });
    writeFileSync(join(stray, 'ff'.repeat(32)), 'stray');
    await house.restart({ now: () => now });
    assert.deepEqual(readdirSync(stray), []);
    assert.equal((await get(await house.member(alice), kept, 0, 1)).code, Code.ok);
  });

  const fileOf = (id: Uint8Array) => join(house.folder, 'parcels', toHex(id).slice(0, 2), toHex(id));
  /** Without sockets and threads, which would need descriptors too. */
  const parcelsOn = async (store: RelayStore = memoryRelayStore(DEFAULT_LIMITS)) => {
    const parcels = new Parcels(house.folder, store, 1e9);
    await parcels.start();
    return parcels;
  };

  it('R9 a file that is lost is put anew, half or whole, and ends nothing', async () => {
    await house.start();
    const [half, whole] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const content = Buffer.from(crypto.randomBytes(1_000));
    const atAlice = await house.member(alice);
    await put(atAlice, half, content, 0, 600);
    await put(atAlice, whole, content, 0, 1_000);
    for (const id of [half, whole]) rmSync(fileOf(id));
    assert.deepEqual(await put(atAlice, half, content, 600, 400), [Code.ok, 0]);
    assert.equal((await get(atAlice, whole, 0, 1_000)).code, Code.notFound);
    assert.deepEqual(await put(atAlice, whole, content, 0, 0), [Code.ok, 0], 'who asks is told, too');
    for (const id of [half, whole]) {
      assert.deepEqual(await put(atAlice, id, content, 0, 1_000), [Code.ok, 1_000]);
      assert.deepEqual((await get(atAlice, id, 0, 1_000)).bytes, content);
    }
  });

  it('R9 a tail that the disk has lost leaves no hole in what is put behind it', async () => {
    await house.start();
    const id = crypto.randomBytes(32);
    const content = Buffer.from(crypto.randomBytes(1_000));
    const atAlice = await house.member(alice);
    await put(atAlice, id, content, 0, 600);
    truncateSync(fileOf(id), 500);
    assert.deepEqual(await put(atAlice, id, content, 600, 400), [Code.ok, 0]);
    assert.deepEqual(await put(atAlice, id, content, 0, 1_000), [Code.ok, 1_000]);
    assert.deepEqual((await get(atAlice, id, 0, 1_000)).bytes, content);
  });

  it('R7 a file that cannot be read, written or removed is one parcel’s trouble', async () => {
    const day = 86_400_000;
    let now = 1_000 * day;
    await house.start({ now: () => now });
    const [half, whole] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const content = Buffer.alloc(1_000, 'a');
    const atAlice = await house.member(alice);
    await put(atAlice, half, content, 0, 1);
    await put(atAlice, whole, content, 0, 1_000);
    for (const id of [half, whole]) {
      rmSync(fileOf(id));
      mkdirSync(join(fileOf(id), 'in the way'), { recursive: true });
    }
    assert.equal((await get(atAlice, whole, 0, 1_000)).code, Code.unavailable);
    assert.equal((await put(atAlice, half, content, 1, 999))[0], Code.unavailable);
    assert.equal(await atAlice.code({ type: 'parcelKeep', parcel: whole, references: 0 }), Code.ok);
    rmSync(fileOf(whole), { recursive: true });
    writeFileSync(fileOf(whole), 'left over');
    now += 40 * day;
    await house.relay.expire();
    assert.deepEqual(readdirSync(join(fileOf(whole), '..')), [], 'what could not be removed is tried again');
    assert.deepEqual(await put(atAlice, whole, content, 0, 1_000), [Code.ok, 1_000]);
  });

  it('R7 without a descriptor left nothing is acknowledged, and it goes on when there is one', async function () {
    const [there, another] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const parcels = await parcelsOn();
    const byte = new Uint8Array(1);
    await parcels.put(there, alice.id, 1, 0, byte, 0);
    const taken: number[] = [];
    const isUsedUp = () => {
      try {
        while (taken.length < 100_000) taken.push(openSync('/dev/null', 'r'));
        return false;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EMFILE';
      }
    };
    try {
      if (!isUsedUp()) this.skip();
      assert.equal((await parcels.get(there, 0, 1)).code, Code.unavailable);
      await assert.rejects(parcels.put(another, alice.id, 1, 0, byte, 0), { code: 'full' });
    } finally {
      for (const descriptor of taken) closeSync(descriptor);
    }
    assert.equal((await parcels.get(there, 0, 1)).code, Code.ok);
    assert.deepEqual(await parcels.put(another, alice.id, 1, 0, byte, 0), { code: Code.ok, next: 1 });
  });

  it('R7 who asks for many slices at once does not use the descriptors up', async function () {
    if (process.platform !== 'linux') this.skip();
    const id = crypto.randomBytes(32);
    const parcels = await parcelsOn();
    await parcels.put(id, alice.id, 1, 0, new Uint8Array(1), 0);
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    let most = 0;
    const asked = Array.from({ length: 1_000 }, () => parcels.get(id, 0, 1));
    let done = false;
    const all = Promise.all(asked).finally(() => (done = true));
    while (!done) {
      most = Math.max(most, descriptors() - before);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok((await all).every(({ code }) => code === Code.ok));
    assert.ok(most <= 80, `${most} files open at once`);
  });

  it('R7 R9 a slice of which the system takes a part at a time is whole, and one it takes no more of is not acknowledged', async () => {
    const [slow, never] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const parcels = await parcelsOn();
    const content = Buffer.from(crypto.randomBytes(1_000));
    let most = 300;
    const restore = await writingAtMost(() => most);
    try {
      assert.deepEqual(await parcels.put(slow, alice.id, 1_000, 0, content, 0), { code: Code.ok, next: 1_000 });
      most = 0;
      await assert.rejects(parcels.put(never, alice.id, 1_000, 0, content, 0), { code: 'full' });
    } finally {
      restore();
    }
    assert.deepEqual((await parcels.get(slow, 0, 1_000)).bytes, content);
    assert.deepEqual(await parcels.put(never, alice.id, 1_000, 0, content, 0), { code: Code.ok, next: 1_000 });
    assert.deepEqual((await parcels.get(never, 0, 1_000)).bytes, content);
  });

  it('R9 what expires takes nothing of what is put under its id meanwhile', async () => {
    const id = crypto.randomBytes(32);
    const store = memoryRelayStore(DEFAULT_LIMITS);
    const parcels = await parcelsOn(store);
    const content = Buffer.from(crypto.randomBytes(1_000));
    await parcels.put(id, alice.id, 1_000, 0, content.subarray(0, 600), 1);
    const expiry = parcels.expire(2);
    const codes = [parcels.put(id, alice.id, 1_000, 0, content, 3), parcels.put(id, alice.id, 1_000, 0, content, 3)];
    await Promise.all([expiry, ...codes]);
    assert.deepEqual(await store.parcel(id), { total: 1_000, received: 1_000 });
    assert.deepEqual(await parcels.get(id, 0, 1_000), { code: Code.ok, total: 1_000, bytes: content });
  });

  it('R9 what else stands in its folder neither keeps the relay from starting nor is removed', async () => {
    const parcels = join(house.folder, 'parcels');
    mkdirSync(join(parcels, 'lost+found', 'deep'), { recursive: true });
    mkdirSync(join(parcels, 'ab', 'ab'.repeat(32)), { recursive: true });
    for (const name of ['.DS_Store', 'ab/.DS_Store', 'lost+found/file']) writeFileSync(join(parcels, name), '');
    await house.start();
    assert.equal(readdirSync(parcels, { recursive: true }).length, 7);
  });
});

/** Every file of the process takes so much of a write only, as one does near the end of the disk. Answers how to have it as before. */
async function writingAtMost(bytes: () => number): Promise<() => void> {
  const any = await open(import.meta.filename);
  const files = Object.getPrototypeOf(any) as FileHandle;
  await any.close();
  const write = Object.getOwnPropertyDescriptor(files, 'write')!;
  const whole = write.value as (buffer: Uint8Array, from: number, length: number, at: number) => Promise<unknown>;
  Object.defineProperty(files, 'write', {
    ...write,
    async value(this: FileHandle, buffer: Uint8Array, from: number, length: number, at: number) {
      const taken = Math.min(length, bytes());
      return taken === 0 ? { bytesWritten: 0, buffer } : whole.call(this, buffer, from, taken, at);
    },
  });
  return () => void Object.defineProperty(files, 'write', write);
}
