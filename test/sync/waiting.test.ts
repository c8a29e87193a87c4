import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { MAX_WAITING_BYTES } from '../../src/protocol/limits.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { Waiting } from '../../src/sync/waiting.ts';
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
});
