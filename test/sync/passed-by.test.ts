/** L6: what waits for something that is folded here, and whether it puts the copy out of step: world “oyster.1327”. */
import assert from 'node:assert/strict';
import { push } from '../../src/base/group.ts';
import type { DeltaId, DeviceId, FeedId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { MAX_WAITING_DELTAS } from '../../src/protocol/limits.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import type { Graph, Node } from '../../src/sync/graph.ts';
import { PassedBy } from '../../src/sync/passed-by.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { Team } from './team.ts';

/** A graph of nothing but what waits, and one node that lets a device in and has all that is folded in its past. */
class Waiters {
  readonly deltas = new Map<DeltaId, Delta>();
  readonly #waiters = new Map<DeltaId, Delta[]>();
  readonly entrance = { delta: { id: 'entrance', seq: 1 }, lane: 0, past: [] } as unknown as Node;
  readonly barred = new Set<DeviceId>();
  /** Beyond a word that takes its device out, which is in again. */
  readonly cutOff = new Set<DeltaId>();
  /** Of what is here, more than what lets in. */
  readonly here = new Set<string>();
  /** Feeds of which something is here. */
  readonly begun = new Set(['member.0' as FeedId]);
  arrivals = 0;
  looks = 0;
  /** How often it was asked what lets a device in. */
  asked = 0;
  readonly #cut = new Map<FeedId, number>();
  readonly #passedBy: PassedBy;

  constructor() {
    const graph = {
      tip: (feed: FeedId) => (this.begun.has(feed) ? this.entrance : undefined),
      coversCut: () => true,
      cut: () => this.#cut,
      lanesOf: () => [],
      get: (id: DeltaId) => (id === this.entrance.delta.id || this.here.has(id) ? this.entrance : undefined),
      waitingDelta: (id: DeltaId) => this.deltas.get(id),
      waitingDeltas: () => this.deltas.values(),
      waitingInOrder: () => [...this.deltas.values()],
      waitersOf: ({ id }: Delta) => {
        this.looks++;
        return this.#waiters.get(id) ?? [];
      },
    };
    Object.defineProperties(graph, {
      arrivals: { get: () => this.arrivals },
      waitingTurns: { get: () => this.deltas.size },
    });
    this.#passedBy = new PassedBy({
      crypto: nodeCrypto(seededRandom('passed by')),
      graph: graph as unknown as Graph,
      entrancesOf: (device) => {
        this.asked++;
        return device === 'newcomer' ? [this.entrance] : [];
      },
      isBarred: ({ id, device }) => {
        this.looks++;
        return this.barred.has(device) || this.cutOff.has(id);
      },
    });
  }

  add(id: string, device: string, deps: readonly string[], more: Partial<Delta> = {}): Delta {
    const place = { id, device, feed: `${device}.0`, prev: undefined, deps };
    const delta = { ...place, tool: 'tool', kind: 'post', ...more } as unknown as Delta;
    this.deltas.set(delta.id, delta);
    for (const dep of delta.deps) push(this.#waiters, dep, delta);
    return delta;
  }

  endsChanged(): void {
    this.#passedBy.endsChanged();
  }

  mayCount(...deltas: readonly Delta[]): boolean {
    return this.#passedBy.mayCount(deltas);
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

  it('I4 L6 counts where what lets in waits itself, before that', () => {
    for (const isBefore of [true, false]) {
      const { waiters, word } = uponWhoIsOut([]);
      const team = new Team('let in by what waits');
      const { account, device, certificate } = team.person('Eve');
      const box = boxEpoch(team.crypto, team.epoch, [certificate]);
      const body = controlBody.admit(account, Role.participant, 'Eve', [certificate], undefined, box);
      waiters.add('admit', 'somebody', ['elsewhere'], { tool: undefined, kind: 'admit', body });
      waiters.add('between', 'somebody', ['admit']);
      waiters.add('hers', device, isBefore ? ['word', 'between'] : ['word']);
      waiters.add('on', 'member', ['hers', 'between']);
      assert.equal(waiters.mayCount(word), isBefore);
    }
  });

  it('L6 is looked at again when something has come: more that waits, or what takes a feed to its end', () => {
    const { waiters, word } = uponWhoIsOut(['entrance']);
    assert.equal(waiters.mayCount(word), false);
    waiters.add('on', 'member', ['begun']);
    assert.equal(waiters.mayCount(word), true);
    waiters.barred.add('member' as DeviceId);
    waiters.arrivals++;
    assert.equal(waiters.mayCount(word), false);
    waiters.barred.delete('member' as DeviceId);
    waiters.endsChanged();
    assert.equal(waiters.mayCount(word), true);
  });

  it('L6 is looked at again when a feed has begun here: what waits for its next counts', () => {
    const { waiters, word } = uponWhoIsOut(['entrance']);
    assert.equal(waiters.mayCount(word), false);
    waiters.begun.add('newcomer.0' as FeedId);
    waiters.arrivals++;
    assert.equal(waiters.mayCount(word), true);
  });
});

/** What a member has written while he was out, and names now that he is in again. */
function uponWhatIsCutOff(...more: readonly string[]): { waiters: Waiters; cut: Delta } {
  const waiters = new Waiters();
  waiters.begun.add('other.0' as FeedId);
  const cut = waiters.add('cut', 'member', []);
  waiters.cutOff.add(cut.id);
  waiters.add('on', 'member', ['cut', ...more]);
  return { waiters, cut };
}

describe('A4 L6 what is cut off', () => {
  it('A4 L6 counts for nobody where its own device alone goes on upon it, however far', () => {
    const { waiters, cut } = uponWhatIsCutOff();
    waiters.add('further on', 'member', ['on']);
    assert.equal(waiters.mayCount(cut), false);
    assert.equal(waiters.mayCount(cut), false);
  });

  it('A4 L6 counts where another device goes on upon that: so that one has taken it', () => {
    const { waiters, cut } = uponWhatIsCutOff();
    assert.equal(waiters.mayCount(cut), false);
    waiters.add('others', 'other', ['on']);
    assert.equal(waiters.mayCount(cut), true);
  });

  it('A4 L6 counts where its own device goes on upon what another has begun upon it, too', () => {
    const { waiters, cut } = uponWhatIsCutOff('begun');
    waiters.add('begun', 'newcomer', ['cut', 'entrance']);
    assert.equal(waiters.mayCount(cut), true);
  });

  it('A4 L6 hides nothing that its own device has waiting for something else', () => {
    const { waiters, cut } = uponWhatIsCutOff();
    assert.equal(waiters.mayCount(cut), false);
    assert.equal(waiters.mayCount(waiters.deltas.get('on' as DeltaId)!), true);
  });
});

/**
 * Looks, of all that may wait, each of a hostile device in the way of every other. Each asked by itself, and 4,000 looks at the most for
 * each, these were 64 million, and again whenever what all wait for was sent.
 */
describe('L6 how often it is looked at what cannot come in', () => {
  const TIMES = 4;

  function crowd(count: number, device: (i: number) => string): { waiters: Waiters; all: Delta[] } {
    const { waiters, word } = uponWhoIsOut(['entrance']);
    const all = [word];
    for (let i = 0; i < count; i++) all.push(waiters.add(`more ${i}`, device(i), [all.at(-1)!.id, 'entrance']));
    return { waiters, all };
  }

  it('L6 is once for each, though all wait for the same and for each other; and not once more where nothing has changed', () => {
    const { waiters, all } = crowd(MAX_WAITING_DELTAS, () => 'out');
    assert.equal(waiters.mayCount(...all), false);
    assert.ok(waiters.looks <= TIMES * MAX_WAITING_DELTAS, `${waiters.looks} looks`);
    waiters.looks = 0;
    assert.equal(waiters.mayCount(...all), false);
    assert.equal(waiters.mayCount(all[1]!), false);
    assert.equal(waiters.looks, 0);
  });

  it('L6 is once for each, though each is of another device that nothing lets in', () => {
    const { waiters, all } = crowd(MAX_WAITING_DELTAS, (i) => `stranger ${i}`);
    assert.equal(waiters.mayCount(...all), false);
    assert.ok(waiters.looks <= TIMES * all.length, `${waiters.looks} looks`);
  });

  it('I4 L6 nor is each of these devices looked at for each of what they name, that is here', () => {
    const { waiters, all } = crowd(1_000, (i) => `stranger ${i}`);
    for (let i = 0; i < 1_000; i++) {
      waiters.here.add(`here ${i}`);
      all.push(waiters.add(`names ${i}`, `stranger ${i}`, [all.at(-1)!.id, `here ${i}`]));
    }
    assert.equal(waiters.mayCount(...all), false);
    assert.ok(waiters.asked <= TIMES * all.length, `asked ${waiters.asked} times`);
  });

  it('A4 L6 is once for each, though all is of one device that is in again, and rests on much that is cut off', () => {
    const { waiters, cut } = uponWhatIsCutOff('cut too');
    const too = waiters.add('cut too', 'member', []);
    waiters.cutOff.add(too.id);
    for (let i = 0, last = 'on'; i < MAX_WAITING_DELTAS; i++) last = waiters.add(`more ${i}`, 'member', [last]).id;
    assert.equal(waiters.mayCount(cut), false);
    assert.ok(waiters.looks <= TIMES * MAX_WAITING_DELTAS, `${waiters.looks} looks`);
    waiters.looks = 0;
    assert.equal(waiters.mayCount(too), false);
    assert.ok(waiters.looks <= TIMES, `${waiters.looks} looks`);
  });

  it('L6 hides nothing: what counts is found behind all of it', () => {
    const { waiters, all } = crowd(MAX_WAITING_DELTAS - 10, () => 'out');
    waiters.add('on', 'member', [all.at(-1)!.id]);
    assert.equal(waiters.mayCount(all[0]!), true);
  });
});
