/** What every relay store promises (R1–R4, R9). Run on the fake and on SQLite. */
import assert from 'node:assert/strict';
import { Code, Marker } from '../../src/protocol/relay-messages.ts';
import type { QueueLimits } from '../../src/relay/limits.ts';
import { MAX_PAGE_ENTRIES, type DeviceKeys, type RelayStore, type Submission } from '../../src/relay/store.ts';

export const SMALL_LIMITS: QueueLimits = {
  queueBytes: 4_000,
  queueMessages: 16,
  senderShare: 1 / 4,
  firstContactBytes: 400,
  firstContactMessages: 8,
  reserveBytes: 0,
};

export const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

export const keysOf = (n: number): DeviceKeys => ({
  device: bytes(32, n),
  account: bytes(32, 100 + n),
  agreement: bytes(32, 200 + n),
});

const hashOf = (n: number) => bytes(32, 50 + n);
const ALICE = keysOf(1);
const BOB = keysOf(2);
const CAROL = keysOf(3);

let lastId = 0;
const nextId = () => {
  const id = bytes(16, 0);
  new DataView(id.buffer).setUint32(0, ++lastId);
  return id;
};

export function relayStoreContract(name: string, open: (limits: QueueLimits) => Promise<RelayStore>): void {
  describe(`relay store: ${name}`, () => {
    let store: RelayStore;
    beforeEach(async () => {
      store = await open(SMALL_LIMITS);
      for (const [i, keys] of [ALICE, BOB, CAROL].entries()) {
        await store.register(keys);
        await store.confirm(keys.device, [hashOf(i + 1)]);
      }
    });
    afterEach(() => store.close());

    const message = (sender: DeviceKeys, to: readonly number[], body = bytes(10, 7), id = nextId()): Submission => ({
      sender: sender.device,
      messageId: id,
      recipients: to.map((n) => ({ device: keysOf(n).device, hash: hashOf(n) })),
      body,
    });
    const stranger = (submission: Submission): Submission => ({
      ...submission,
      recipients: submission.recipients.map(({ device }) => ({ device, hash: hashOf(99) })),
    });
    const codes = async (submission: Submission, now = 0) =>
      (await store.submit(submission, now)).map((placement) => placement.code);
    const queueOf = async (keys: DeviceKeys, after = 0) => (await store.page(keys.device, after, 1e9)).entries;
    const positions = async (keys: DeviceKeys) => (await queueOf(keys)).map((entry) => entry.position);

    it('R4 knows a device by all its keys', async () => {
      assert.equal(await store.registration(ALICE), 'registered');
      assert.equal(await store.registration(keysOf(9)), 'unknown');
      assert.equal(await store.registration({ ...ALICE, account: bytes(32, 9) }), 'otherKeys');
      assert.equal(await store.register({ ...ALICE, agreement: bytes(32, 9) }), 'otherKeys');
    });

    it('R1 keeps the order of each sender and hands out what stands behind a position', async () => {
      for (let i = 0; i < 3; i++) {
        await store.submit(message(ALICE, [2], bytes(5, i)), 0);
        await store.submit(message(CAROL, [2], bytes(5, 10 + i)), 0);
      }
      const fills = (await queueOf(BOB)).map((entry) => entry.type === 'message' && entry.body[0]);
      assert.deepEqual(fills, [0, 10, 1, 11, 2, 12]);
      const [, second, third] = await queueOf(BOB);
      assert.deepEqual((await queueOf(BOB, second!.position))[0], third);
    });

    it('R1 pages by bytes, never an empty page where something is left', async () => {
      for (let i = 0; i < 3; i++) await store.submit(message(ALICE, [2], bytes(100, i)), 0);
      const first = await store.page(BOB.device, 0, 10);
      assert.deepEqual([first.entries.length, first.end], [1, false]);
      const rest = await store.page(BOB.device, first.entries[0]!.position, 200);
      assert.deepEqual([rest.entries.length, rest.end], [2, true]);
    });

    it('R1 pages by number too, where messages are tiny', async () => {
      await store.close();
      store = await open({ ...SMALL_LIMITS, queueMessages: 10_000, queueBytes: 10_000 });
      for (const [i, keys] of [ALICE, BOB].entries()) {
        await store.register(keys);
        await store.confirm(keys.device, [hashOf(i + 1)]);
      }
      const all = Array.from({ length: MAX_PAGE_ENTRIES + 1 }, () => store.submit(message(ALICE, [2], bytes(1, 7)), 0));
      await Promise.all(all);
      const first = await store.page(BOB.device, 0, 1e9);
      assert.deepEqual([first.entries.length, first.end], [MAX_PAGE_ENTRIES, false]);
      const rest = await store.page(BOB.device, first.entries.at(-1)!.position, 1e9);
      assert.deepEqual([rest.entries.length, rest.end], [1, true]);
    });

    it('R1 puts a repeated message id into a queue once, even after its ack', async () => {
      const once = message(ALICE, [2]);
      assert.deepEqual(await codes(once), [Code.ok]);
      assert.deepEqual(await codes(once), [Code.ok]);
      assert.equal((await queueOf(BOB)).length, 1);
      assert.equal(await store.ack(BOB.device, 1), true);
      assert.deepEqual(await store.submit(once, 0), [{ code: Code.ok, position: 0, marked: false }]);
      assert.equal((await queueOf(BOB)).length, 0);
    });

    it('R1 a repeat reaches only those whom the first did not', async () => {
      const id = nextId();
      await store.submit(message(ALICE, [2, 9], bytes(5, 1), id), 0);
      await store.ack(BOB.device, 1);
      assert.deepEqual(await codes(message(ALICE, [2, 3, 9], bytes(5, 1), id)), [Code.ok, Code.ok, Code.refused]);
      assert.deepEqual([(await queueOf(BOB)).length, (await queueOf(CAROL)).length], [0, 1]);
    });

    it('R1 the same id of another sender is another message', async () => {
      const id = nextId();
      await store.submit(message(ALICE, [2], bytes(5, 1), id), 0);
      await store.submit(message(CAROL, [2], bytes(5, 2), id), 0);
      assert.equal((await queueOf(BOB)).length, 2);
    });

    it('R1 an ack is cumulative, never goes back, and never beyond what was given out', async () => {
      for (let i = 0; i < 3; i++) await store.submit(message(ALICE, [2]), 0);
      assert.equal(await store.ack(BOB.device, 2), true);
      assert.deepEqual(await positions(BOB), [3]);
      assert.equal(await store.ack(BOB.device, 1), true);
      assert.equal(await store.ack(BOB.device, 4), false);
      assert.deepEqual(await positions(BOB), [3]);
    });

    it('R1 never gives a position out twice, however empty the queue', async () => {
      await store.submit(message(ALICE, [2]), 0);
      await store.ack(BOB.device, 1);
      await store.submit(message(ALICE, [2]), 0);
      assert.deepEqual(await positions(BOB), [2]);
    });

    it('R2 fans out to several, each with its own place and ack', async () => {
      assert.deepEqual(await codes(message(ALICE, [2, 3, 2])), [Code.ok, Code.ok, Code.ok]);
      await store.ack(BOB.device, 1);
      assert.deepEqual([(await queueOf(BOB)).length, (await queueOf(CAROL)).length], [0, 1]);
    });

    it('R3 one sender fills a quarter of the messages, others go on', async () => {
      for (let i = 0; i < 4; i++) assert.deepEqual(await codes(message(ALICE, [2])), [Code.ok]);
      assert.deepEqual(await codes(message(ALICE, [2])), [Code.full]);
      assert.deepEqual(await codes(message(CAROL, [2])), [Code.ok]);
    });

    it('R3 one sender fills a quarter of the bytes', async () => {
      assert.deepEqual(await codes(message(ALICE, [2], bytes(1_000, 1))), [Code.ok]);
      assert.deepEqual(await codes(message(ALICE, [2], bytes(1, 1))), [Code.full]);
    });

    it('R3 a full queue refuses the new one, evicts nothing, leaves one marker, and has room after the ack', async () => {
      for (const n of [1, 3, 4, 5]) {
        for (let i = 0; i < 4; i++) assert.deepEqual(await codes(message(keysOf(n), [2])), [Code.ok]);
      }
      const [placed] = await store.submit(message(keysOf(6), [2]), 0);
      assert.deepEqual([placed!.code, placed!.marked], [Code.full, true]);
      assert.deepEqual(await codes(message(keysOf(7), [2])), [Code.full]);
      const entries = await queueOf(BOB);
      assert.equal(entries.filter((entry) => entry.type === 'message').length, 16);
      assert.deepEqual(entries.at(-1), { type: 'marker', position: 17, reason: Marker.full });
      assert.equal(entries.length, 17);
      await store.ack(BOB.device, 17);
      assert.deepEqual(await codes(message(keysOf(6), [2])), [Code.ok]);
    });

    it('R3 a loss after the marker was handed out makes a new one behind it', async () => {
      for (let i = 0; i < 5; i++) await store.submit(message(ALICE, [2]), 0);
      assert.deepEqual(await positions(BOB), [1, 2, 3, 4, 5]);
      await store.submit(message(ALICE, [2]), 0);
      assert.deepEqual(await positions(BOB), [1, 2, 3, 4, 6]);
      await store.ack(BOB.device, 3);
      await store.ack(BOB.device, 6);
      assert.deepEqual(await positions(BOB), []);
    });

    it('R3 what is too old goes, with a marker for it', async () => {
      await store.submit(message(ALICE, [2, 3]), 100);
      await store.submit(message(ALICE, [2]), 200);
      assert.deepEqual(await store.expireMessages(150), [BOB.device, CAROL.device]);
      assert.deepEqual(
        (await queueOf(BOB)).map((entry) => [entry.type, entry.position]),
        [
          ['message', 2],
          ['marker', 3],
        ],
      );
      assert.deepEqual(await queueOf(CAROL), [{ type: 'marker', position: 2, reason: Marker.expired }]);
      assert.deepEqual(await store.expireMessages(150), []);
    });

    it('R4 confirming replaces the whole set', async () => {
      await store.confirm(BOB.device, [hashOf(7), hashOf(7), hashOf(8)]);
      assert.equal((await store.capabilities(BOB.device)).length >= 2, true);
      await store.confirm(BOB.device, [hashOf(8)]);
      assert.deepEqual(await store.capabilities(BOB.device), [hashOf(8)]);
    });

    it('R4 a stranger has the first-contact queue alone, small, and without markers', async () => {
      for (const n of [1, 3, 4, 5]) {
        for (let i = 0; i < 2; i++) assert.deepEqual(await codes(stranger(message(keysOf(n), [2]))), [Code.ok]);
      }
      assert.deepEqual(await codes(stranger(message(keysOf(6), [2]))), [Code.refused]);
      assert.equal((await queueOf(BOB)).filter((entry) => entry.type === 'marker').length, 0);
      assert.deepEqual(await codes(message(keysOf(6), [2])), [Code.ok], 'members are not kept out by strangers');
      await store.ack(BOB.device, 8);
      assert.deepEqual(await codes(stranger(message(keysOf(6), [2]))), [Code.ok]);
    });

    it('R4 unknown and outdated capabilities look alike, and an unknown device is refused', async () => {
      await store.confirm(BOB.device, [hashOf(8)]);
      const outdated = await codes(message(ALICE, [2]));
      const unknown = await codes(stranger(message(ALICE, [2])));
      assert.deepEqual(outdated, unknown);
      assert.deepEqual(await codes(message(ALICE, [9])), [Code.refused]);
      // Beyond the share of one stranger, too.
      assert.deepEqual(await codes(message(ALICE, [2])), [Code.refused]);
      assert.deepEqual(await codes(stranger(message(ALICE, [2]))), [Code.refused]);
    });

    it('R9 a parcel has an owner, a size and a quota', async () => {
      const id = bytes(32, 1);
      const mine = (total: number) => store.openParcel(id, ALICE.account, total, 100, 0);
      assert.deepEqual(await mine(60), { code: Code.ok, received: 0 });
      await store.advanceParcel(id, 20, 0);
      assert.deepEqual(await mine(60), { code: Code.ok, received: 20 });
      assert.equal((await mine(61)).code, Code.badRequest);
      assert.equal((await store.openParcel(id, BOB.account, 60, 100, 0)).code, Code.refused);
      assert.equal((await store.openParcel(bytes(32, 2), ALICE.account, 41, 100, 0)).code, Code.quota);
      assert.equal((await store.openParcel(bytes(32, 2), BOB.account, 41, 100, 0)).code, Code.ok);
      assert.deepEqual(await store.parcel(id), { total: 60, received: 20 });
      assert.equal(await store.parcel(bytes(32, 3)), undefined);
    });

    it('R9 each parcel counts beside its bytes, and asking begins none', async () => {
      const open = (n: number, begin: boolean) =>
        store.openParcel(bytes(32, n), ALICE.account, 10, 100, 0, { eachBytes: 40, begin });
      assert.equal((await open(1, false)).code, Code.ok);
      assert.deepEqual(await store.parcelIds(), []);
      assert.equal((await open(1, true)).code, Code.ok);
      assert.equal((await open(2, true)).code, Code.ok, 'two of fifty');
      assert.equal((await open(3, true)).code, Code.quota);
    });

    it('R9 only the owner keeps or drops; what nobody renews expires', async () => {
      const [one, two] = [bytes(32, 1), bytes(32, 2)];
      for (const id of [one, two]) await store.openParcel(id, ALICE.account, 10, 100, 0);
      assert.equal(await store.keepParcel(one, BOB.account, 0, 50), Code.refused);
      assert.equal(await store.keepParcel(one, ALICE.account, 1, 50), Code.ok);
      assert.deepEqual(await store.expireParcels(40), [two]);
      assert.deepEqual(await store.parcelIds(), [one]);
      assert.equal(await store.keepParcel(one, ALICE.account, 0, 50), Code.ok);
      assert.equal(await store.keepParcel(one, ALICE.account, 0, 50), Code.notFound);
    });

    it('R6 carries out calls in the order they were made', async () => {
      const answers = await Promise.all([
        store.submit(message(ALICE, [2]), 0),
        store.page(BOB.device, 0, 1e9),
        store.ack(BOB.device, 1),
        store.page(BOB.device, 0, 1e9),
      ]);
      assert.deepEqual([answers[1].entries.length, answers[2], answers[3].entries.length], [1, true, 0]);
    });
  });
}
