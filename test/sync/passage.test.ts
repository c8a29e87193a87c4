/** K2, K4: under which key a device is told what, where it may hold none of those that are boxed to it. */
import assert from 'node:assert/strict';
import type { DeviceId, FeedId } from '../../src/base/ids.ts';
import type { EpochTag } from '../../src/sync/epoch.ts';
import type { Node } from '../../src/sync/graph.ts';
import { passageOf, type Gate, type Listener } from '../../src/sync/passage.ts';
import { aim, newPeer } from '../../src/sync/peer.ts';
import { Told } from '../../src/sync/told.ts';

const [DEVICE, FEED] = ['0a'.repeat(32) as DeviceId, `${'0b'.repeat(32)}.0` as FeedId];
const [PAIR, NEWER, LOST] = ['pair', 'newer', 'lost'] as EpochTag[];
const word = { delta: { feed: FEED, seq: 3 } } as unknown as Node;

/** What is boxed to the device is in a word that it has not been told, and what it held before is erased here. */
const gate: Gate = {
  stepsOf: () => [{ tag: NEWER!, word }],
  inUse: NEWER,
  boxedTo: () => [],
  givenBy: () => undefined,
  holds: (tag) => tag === NEWER,
  pairWith: () => PAIR,
};

const under = (listener: Partial<Listener>, told = 0) =>
  passageOf(gate, DEVICE, new Map([[FEED, told]]), {
    last: undefined,
    without: new Set(),
    spoke: undefined,
    ...listener,
  });

describe('K2 K4 what a device is told under that is behind', () => {
  it('K4 is the seal of the two, up to the word that boxes the next key to it', () => {
    assert.deepEqual(under({}), { under: PAIR, until: word, keyFirst: undefined });
    assert.deepEqual(under({}, 3), { under: NEWER, until: undefined, keyFirst: undefined });
  });

  it('K4 is the key that it speaks under, for which it needs no certificate of ours, and nothing beyond that word (world “kale.2444”)', () => {
    assert.deepEqual(under({ spoke: NEWER! }), { under: NEWER, until: word, keyFirst: undefined });
    assert.deepEqual(under({ spoke: LOST! }), { under: PAIR, until: word, keyFirst: undefined });
  });

  it('K4 N4 D2 is the seal of the two where no epoch is held at all, as after a back-up from before the first copy (world “rough-z.6591”)', () => {
    const none: Gate = { ...gate, stepsOf: () => [], inUse: undefined, holds: () => false };
    const told = { last: undefined, without: new Set<EpochTag>(), spoke: undefined };
    assert.deepEqual(passageOf(none, DEVICE, new Map(), told), { under: PAIR, until: undefined, keyFirst: undefined });
  });

  it('K2 is that, too, for the word that takes it out', () => {
    const none: Gate = { ...gate, stepsOf: () => [] };
    const listener: Listener = { last: word, without: new Set(), spoke: NEWER! };
    assert.deepEqual(passageOf(none, DEVICE, new Map(), listener), { under: NEWER, until: word, keyFirst: undefined });
    assert.equal(passageOf(none, DEVICE, new Map(), { ...listener, spoke: undefined }).under, PAIR);
  });

  it('K2 K4 is none that a void word alone has in a box for it, for who is out and speaks under the seal of the two (world “rough-rr.8855”)', () => {
    const [VOID] = ['void'] as EpochTag[];
    const boxed: Gate = { ...gate, stepsOf: () => [], boxedTo: () => [VOID!], holds: () => true };
    const peer = { ...newPeer(), words: [word], last: word, known: new Map([[FEED, 1]]) };
    const told = new Told(() => assert.fail(), boxed, new Map([[DEVICE, peer]]));
    assert.equal(told.epochFor(DEVICE), VOID);
    // He has erased it, and asks for what was in it: else the two would ask each other without end.
    told.heardUnder(DEVICE, PAIR!);
    assert.equal(told.epochFor(DEVICE), PAIR);
    told.heardUnder(DEVICE, VOID!);
    assert.equal(told.epochFor(DEVICE), VOID);
  });

  it('I4 K1 is not the key that came with what let this device in, for who speaks under the seal of the two', () => {
    const [GIVEN] = ['given'] as EpochTag[];
    const letIn: Gate = { ...gate, stepsOf: () => [], givenBy: () => GIVEN, holds: () => true };
    const told = new Told(
      () => assert.fail(),
      letIn,
      new Map([[DEVICE, { ...newPeer(), known: new Map([[FEED, 1]]) }]]),
    );
    assert.equal(told.epochFor(DEVICE), GIVEN);
    // For him that word is void, and he lacks its key.
    told.heardUnder(DEVICE, PAIR!);
    assert.equal(told.epochFor(DEVICE), PAIR);
    told.heardUnder(DEVICE, GIVEN!);
    assert.equal(told.epochFor(DEVICE), GIVEN);
  });

  it('K2 is all up to one word after the other by which it is out, and then up to the last', () => {
    const other = { delta: { feed: `${'0c'.repeat(32)}.0`, seq: 1 } } as unknown as Node;
    const peer = { ...newPeer(), words: [word, other] };
    const aimedAt = (...known: readonly Node[]) => {
      peer.known = new Map(known.map(({ delta }) => [delta.feed, delta.seq]));
      aim(peer);
      return peer.last;
    };
    assert.deepEqual([aimedAt(), aimedAt(word), aimedAt(other), aimedAt(word, other)], [word, other, word, other]);
  });
});
