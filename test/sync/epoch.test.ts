import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { DeviceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { MAX_DEVICES } from '../../src/protocol/limits.ts';
import { boxEpoch, capabilityOf, epochOf, openEpoch, readEpochNotice, type EpochNotice } from '../../src/sync/epoch.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const crypto = nodeCrypto(seededRandom('epoch'));
/** A point of low order: what it agrees on is known to everybody. */
const LOW_ORDER = new Uint8Array(32).fill(0);

function device(): { device: DeviceId; secret: Uint8Array; agreementKey: Uint8Array } {
  const secret = crypto.randomBytes(32);
  return { device: toHex(crypto.randomBytes(32)) as DeviceId, secret, agreementKey: crypto.agreementKeyOf(secret) };
}

function overTheWire(value: Value): EpochNotice {
  const decoded = decode(encode(value));
  const notice = decoded.ok ? readEpochNotice(decoded.value) : undefined;
  assert.ok(notice);
  return notice;
}

describe('K1 epochs', () => {
  it('K1 every device opens its own box and finds the same key; nobody else opens one', () => {
    const epoch = epochOf(crypto, crypto.randomBytes(32));
    const devices = Array.from({ length: MAX_DEVICES }, device);
    const notice = overTheWire(boxEpoch(crypto, epoch, devices));
    for (const { device: id, secret } of devices) assert.deepEqual(openEpoch(crypto, notice, id, secret), epoch);
    const stranger = device();
    assert.equal(openEpoch(crypto, notice, stranger.device, stranger.secret), undefined);
    assert.equal(openEpoch(crypto, notice, devices[0]!.device, stranger.secret), undefined);
  });

  it('K1 150 boxes take about 10 KB', () => {
    const devices = Array.from({ length: 150 }, device);
    const bytes = encode(boxEpoch(crypto, epochOf(crypto, crypto.randomBytes(32)), devices));
    assert.ok(bytes.length < 11_000, `${bytes.length} bytes`);
  });

  it('K1 a box in which any bit was changed, or that holds another key than promised, is not opened', () => {
    const epoch = epochOf(crypto, crypto.randomBytes(32));
    const other = epochOf(crypto, crypto.randomBytes(32));
    const alice = device();
    const notice = overTheWire(boxEpoch(crypto, epoch, [alice]));
    const [entry] = notice.boxes.entries;
    for (let at = 0; at < entry!.box.length; at++) {
      const box = entry!.box.slice();
      box[at]! ^= 1;
      const changed = { ...notice, boxes: { ...notice.boxes, entries: [{ ...entry!, box }] } };
      assert.equal(openEpoch(crypto, changed, alice.device, alice.secret), undefined);
    }
    const ephemeral = notice.boxes.ephemeral.map((byte, i) => (i === 3 ? byte ^ 1 : byte));
    const broken = { ...notice, boxes: { ...notice.boxes, ephemeral } };
    assert.equal(openEpoch(crypto, broken, alice.device, alice.secret), undefined);
    // The key of another epoch, boxed in good form under this one's commitment.
    const lying = overTheWire(boxEpoch(crypto, { ...other, commit: epoch.commit }, [alice]));
    assert.equal(openEpoch(crypto, lying, alice.device, alice.secret), undefined);
    assert.equal(openEpoch(crypto, { ...notice, commit: other.commit }, alice.device, alice.secret), undefined);
  });

  it('K1 a bad box does not hide a good one of the same device', () => {
    const epoch = epochOf(crypto, crypto.randomBytes(32));
    const alice = device();
    const notice = overTheWire(boxEpoch(crypto, epoch, [alice]));
    const [entry] = notice.boxes.entries;
    const entries = [{ ...entry!, box: new Uint8Array(48) }, entry!];
    const both = { ...notice, boxes: { ...notice.boxes, entries } };
    assert.deepEqual(openEpoch(crypto, both, alice.device, alice.secret), epoch);
  });

  it('K1 a device whose key is of low order gets no box, the others get theirs; a low-order sender is not heard', () => {
    const epoch = epochOf(crypto, crypto.randomBytes(32));
    const [alice, mallory] = [device(), { ...device(), agreementKey: LOW_ORDER }];
    const notice = overTheWire(boxEpoch(crypto, epoch, [mallory, alice]));
    assert.equal(notice.boxes.entries.length, 1);
    assert.deepEqual(openEpoch(crypto, notice, alice.device, alice.secret), epoch);
    const low = { ...notice, boxes: { ...notice.boxes, ephemeral: LOW_ORDER } };
    assert.equal(openEpoch(crypto, low, alice.device, alice.secret), undefined);
  });

  it('K1 a notice of another form is none', () => {
    const value = boxEpoch(crypto, epochOf(crypto, crypto.randomBytes(32)), [device()]) as readonly Value[];
    const box = [new Uint8Array(8), new Uint8Array(48)];
    const bad: readonly Value[] = [
      null,
      [],
      value.slice(0, 2),
      [...value, null],
      value.with(0, new Uint8Array(31)),
      value.with(1, 'text'),
      value.with(2, [[new Uint8Array(7), new Uint8Array(48)]]),
      value.with(2, [[new Uint8Array(8), new Uint8Array(47)]]),
      value.with(2, [[...box, null]]),
      value.with(
        2,
        Array.from({ length: MAX_DEVICES + 1 }, () => box),
      ),
    ];
    for (const one of bad) assert.equal(readEpochNotice(one), undefined);
    assert.ok(readEpochNotice(value));
  });

  it('R4 a capability is one device’s of one epoch', () => {
    const [a, b] = [device().device, device().device];
    const [one, other] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const all = [capabilityOf(crypto, one, a), capabilityOf(crypto, one, b), capabilityOf(crypto, other, a)].map(toHex);
    assert.equal(new Set(all).size, 3);
    assert.equal(toHex(capabilityOf(crypto, one, a)), all[0]);
  });
});
