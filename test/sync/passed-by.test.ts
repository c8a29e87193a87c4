/** L6: what waits for something that is folded here, and whether it puts the copy out of step: world “oyster.1327”. */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId, FeedId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Delta } from '../../src/sync/delta.ts';
import type { Graph, Node } from '../../src/sync/graph.ts';
import { PassedBy } from '../../src/sync/passed-by.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

/** A graph of nothing but what waits, and one node that lets a device in and has all that is folded in its past. */
class Waiters {
  readonly deltas = new Map<DeltaId, Delta>();
  readonly entrance = { delta: { id: 'entrance', seq: 1 }, lane: 0, past: [] } as unknown as Node;
  readonly barred = new Set<DeviceId>();
  looks = 0;

  add(id: string, device: string, deps: readonly string[]): Delta {
    const delta = {
      id,
      device,
      feed: `${device}.0`,
      prev: undefined,
      deps,
      tool: 'tool',
      kind: 'post',
    } as unknown as Delta;
    this.deltas.set(delta.id, delta);
    return delta;
  }

  mayCount(delta: Delta): boolean {
    const graph = {
      tip: (feed: FeedId) => (feed === 'member.0' ? this.entrance : undefined),
      coversCut: () => true,
      get: (id: DeltaId) => (id === this.entrance.delta.id ? this.entrance : undefined),
      waitingDelta: (id: DeltaId) => this.deltas.get(id),
      waitersOf: ({ id }: Delta) => {
        this.looks++;
        return [...this.deltas.values()].filter(({ deps }) => deps.includes(id));
      },
    } as unknown as Graph;
    const passedBy = new PassedBy({
      crypto: nodeCrypto(seededRandom('passed by')),
      graph,
      entrancesOf: (device) => (device === 'newcomer' ? [this.entrance] : []),
      isBarred: ({ device }) => this.barred.has(device),
    });
    return passedBy.mayCount(delta);
  }
}

function uponWhoIsOut(deps: readonly string[]): { waiters: Waiters; word: Delta } {
  const waiters = new Waiters();
  waiters.barred.add('out' as DeviceId);
  const word = waiters.add('word', 'out', []);
  waiters.add('begun', 'newcomer', ['word', ...deps]);
  return { waiters, word };
}

describe('L6 what cannot come in here', () => {
  it('L6 counts for nobody where it is beyond an end, nor what who is in by another word has begun upon it', () => {
    const { waiters, word } = uponWhoIsOut(['entrance']);
    assert.equal(waiters.mayCount(word), false);
  });

  it('L6 counts where a member goes on upon that: he has not folded what is folded here', () => {
    const { waiters, word } = uponWhoIsOut(['entrance']);
    waiters.add('on', 'member', ['begun']);
    assert.equal(waiters.mayCount(word), true);
  });

  it('I4 L6 counts for nobody where a member goes on upon what nothing lets in: that he can make up', () => {
    const { waiters, word } = uponWhoIsOut([]);
    waiters.add('on', 'member', ['begun']);
    assert.equal(waiters.mayCount(word), false);
  });

  it('L6 is not looked for for ever', () => {
    const { waiters, word } = uponWhoIsOut(['entrance']);
    let last = 'begun';
    for (let i = 0; i < 5_000; i++) last = waiters.add(`more ${i}`, 'out', [last]).id;
    waiters.add('on', 'member', [last]);
    assert.equal(waiters.mayCount(word), false);
    assert.ok(waiters.looks < 5_000, `${waiters.looks} looks`);
  });
});
