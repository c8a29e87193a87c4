import assert from 'node:assert/strict';
import type { DeltaId, FeedId } from '../../src/base/ids.ts';
import { MAX_WAITING_BYTES, MAX_WAITING_DELTAS } from '../../src/protocol/limits.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { Waiting } from '../../src/sync/waiting.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { CHAT, Team } from './team.ts';

describe('D5 what waits for its past', () => {
  const team = new Team(1);
  const missing = 'ab'.repeat(32) as DeltaId;

  /** One that came in a message of so many bytes. */
  function inMessage(message: ArrayBuffer, seq: number): Delta {
    const delta = team.forge(team.alice, { seq, prev: missing, deps: [], tool: CHAT });
    return { ...delta, bytes: new Uint8Array(message, 0, 300) };
  }

  it('D5 is bounded by what it keeps in memory, which is the whole of what it came in, once', () => {
    const waiting = new Waiting();
    const size = MAX_WAITING_BYTES / 8;
    const messages = Array.from({ length: 9 }, () => new ArrayBuffer(size));
    const deltas = messages.flatMap((message, i) => [inMessage(message, 2 * i + 2), inMessage(message, 2 * i + 3)]);
    const taken = deltas.map((delta) => waiting.add(delta, [missing]));
    assert.deepEqual(taken, [...Array.from({ length: 16 }, () => true), false, false]);
    // One of a message that is kept by another of it makes no room; both do.
    waiting.discard(deltas[0]!);
    assert.equal(waiting.add(deltas[16]!, [missing]), false);
    waiting.discard(deltas[1]!);
    waiting.discard(deltas[1]!);
    assert.deepEqual(
      deltas.slice(16).map((delta) => waiting.add(delta, [missing])),
      [true, true],
    );
    assert.equal(waiting.size, 16);
    const free = waiting.released(missing, () => true);
    assert.equal(free.length, 16);
    assert.deepEqual(
      deltas.slice(0, 4).map((delta) => waiting.add(delta, [missing])),
      [true, true, true, true],
    );
  });

  it('D5 D8 is not taken up by one member, nor by devices that he has made up: others’ find room', () => {
    for (const isIn of [true, false]) {
      for (const bytes of [MAX_WAITING_BYTES / 8, 300]) {
        const waiting = new Waiting();
        const one = (device: string, seq: number) =>
          ({
            ...{ id: `${device} ${seq}`, device, feed: `${device}.0`, prev: missing, deps: [], seq },
            bytes: new Uint8Array(bytes),
          }) as unknown as Delta;
        const most = Math.min(MAX_WAITING_BYTES / bytes, MAX_WAITING_DELTAS);
        const add = (seq: number) => waiting.add(one(isIn ? 'mallory' : `nobody ${seq}`, seq), [missing], isIn);
        for (let seq = 1; seq <= most; seq++) assert.ok(add(seq));
        assert.equal(add(most + 1), false);
        const ofBob = Array.from({ length: most }, (_, seq) => waiting.add(one('bob', seq), [missing]));
        assert.equal(ofBob.filter(Boolean).length, most / 2);
        assert.deepEqual([waiting.size, add(most + 2)], [most, false]);
        assert.equal(waiting.waitersOf(missing).length, most);
      }
    }
  });

  it('D8 L6 all that is wanted is what is wanted one by one', () => {
    const random = seededRandom('wanted');
    const below = (bound: number) => seededBelow(random, bound);
    for (let world = 0; world < 30; world++) {
      const waiting = new Waiting();
      const all: Delta[] = [];
      for (let i = 0; i < 40; i++) {
        const device = `device ${below(5)}`;
        const deps = [
          ...new Set(all.length === 0 ? [missing] : [all[below(all.length)]!.id, all[below(all.length)]!.id]),
        ];
        const place = { id: `delta ${i}`, device, feed: `${device}.${below(2)}`, prev: undefined, deps };
        all.push({ ...place, bytes: new Uint8Array(1) } as unknown as Delta);
      }
      for (const delta of all.toSorted(() => below(3) - 1)) waiting.add(delta, delta.deps);
      const mayWant = ({ device }: Delta, isWanted: boolean) =>
        (device as string) < 'device 3' || (device === 'device 3' && isWanted);
      const wanted = waiting.allWanted(mayWant);
      const { byOtherFeed, byOtherDevice } = waiting.wanted(mayWant);
      /** One after the other. */
      const isWantedFrom = (id: DeltaId, isOther: (waiter: Delta) => boolean): boolean =>
        waiting
          .waitersOf(id)
          .some(
            (waiter) => (isOther(waiter) && mayWant(waiter, isByAnother(waiter))) || isWantedFrom(waiter.id, isOther),
          );
      const isByAnother = ({ id, device }: Delta) => isWantedFrom(id, (waiter) => waiter.device !== device);
      for (const delta of all) {
        const isOfOtherFeed = isWantedFrom(delta.id, ({ feed }) => feed !== delta.feed);
        assert.equal(byOtherFeed(delta), isOfOtherFeed, `${world} ${delta.id}`);
        const isOfOtherDevice = isWantedFrom(delta.id, ({ device }) => device !== delta.device);
        assert.equal(byOtherDevice(delta), isOfOtherDevice, `${world} ${delta.id}`);
        assert.equal(wanted.has(delta), byOtherFeed(delta));
      }
      assert.ok(wanted.size > 0 && wanted.size < all.length);
      // What has not come is asked about, too.
      for (const feed of ['device 0.0', 'device 4.0'] as FeedId[])
        assert.equal(
          byOtherFeed({ id: missing, feed }),
          isWantedFrom(missing, (waiter) => waiter.feed !== feed),
        );
    }
  });
});
