/** Which key is in use, which goes, and who is reached without one; and what copies say to each other that they add up to. */
import type { Mutant } from './mutant.ts';

const KEYS = 'src/sync/epoch-keys.ts';
const PASSAGE = 'src/sync/passage.ts';
const tests = ['test/sync/erasing.test.ts'];

export const keys: readonly Mutant[] = [
  {
    name: 'a key goes before all have acknowledged a newer one',
    rule: 'K4',
    file: 'src/sync/engine.ts',
    search: 'erased: this.#replica.isSettled ? this.keys.eraseOld() : []',
    replace: 'erased: this.keys.eraseOld()',
    tests,
  },
  {
    name: 'what was erased comes back',
    rule: 'K4',
    file: KEYS,
    search: 'if (this.#held.has(epoch.tag) || this.#generations.has(epoch.tag)) return false;',
    replace: 'if (this.#held.has(epoch.tag)) return false;',
    tests,
  },
  {
    name: 'an erased key is left in memory',
    rule: 'K4',
    file: KEYS,
    search: 'key.fill(0); erased.push(generation);',
    replace: 'erased.push(generation);',
    tests,
  },
  {
    name: 'who comes later is given the key of the messages from before',
    rule: 'K4',
    file: KEYS,
    search: 'key: held && isFor ? held.key : chunkKey',
    replace: 'key: held ? held.key : chunkKey',
    tests,
  },
  {
    name: 'who gets no answer asks under the same key for ever',
    rule: 'K1',
    file: 'src/sync/engine.ts',
    search: 'const under = isAgain ? this.keys.pairWith(from) : undefined;',
    replace: 'const under = undefined; void isAgain;',
    tests: ['test/sync/engine.test.ts'],
  },
  {
    name: 'who holds no key of ours is told under ours',
    rule: 'K4',
    file: PASSAGE,
    search: 'return { under: under ?? gate.pairWith(device), until: word, keyFirst: undefined };',
    replace: 'return { under, until: word, keyFirst: undefined };',
    tests,
  },
  {
    name: 'who is out and has not heard it is told under ours',
    rule: 'K4',
    file: PASSAGE,
    search: 'if (last) return { under: under ?? gate.pairWith(device), until: last, keyFirst: undefined };',
    replace: 'if (last) return { under, until: last, keyFirst: undefined };',
    tests,
  },
  {
    name: 'what is late is not answered',
    rule: 'K4',
    file: 'src/sync/engine.ts',
    search: 'return { waits: false, out: this.session.late(from, path, now) };',
    replace: 'return { waits: false, out: [] };',
    tests,
  },
  {
    name: 'another state of the same is no alarm',
    rule: 'L6',
    file: 'src/sync/session.ts',
    search: 'else this.#differing.add(device);',
    replace: '',
    tests: ['test/sync/divergence.test.ts'],
  },
  {
    name: 'a root of other deltas is an alarm',
    rule: 'L6',
    file: 'src/sync/session.ts',
    search:
      'if (ours.size !== vector.length || !vector.every(({ feed, seq, tip }) => ours.get(feed) === `${seq} ${tip}`)) return;',
    replace: 'void ours;',
    tests: ['test/sync/divergence.test.ts'],
  },
  {
    name: 'a state that cannot be compared is said',
    rule: 'L6',
    file: 'src/sync/replica.ts',
    search:
      'if (this.#graph.isForked || this.#endings.forked.size > 0 || this.sawNewer || this.isOutOfStep) return false;',
    replace: '',
    tests: ['test/sync/divergence.test.ts'],
  },
  {
    name: 'what is folded counts for another state',
    rule: 'L6',
    file: 'src/sync/replica.ts',
    search: 'const root = this.#crypto.sha256(STATE_DOMAIN, this.#content.fold.root(this.#crypto), controls);',
    replace:
      'const root = this.#crypto.sha256(STATE_DOMAIN, this.#content.fold.root(this.#crypto), this.#content.fold.baseRoot(this.#crypto), controls);',
    tests: ['test/sync/divergence.test.ts'],
  },
  {
    name: 'an epoch that was followed comes into use again',
    rule: 'K3',
    file: KEYS,
    search: 'for (const other of last) if (inPast(other.maker, record.maker)) last.delete(other);',
    replace: '',
    tests,
  },
  {
    name: 'a key that no word has made stays',
    rule: 'K4',
    file: KEYS,
    search: 'for (const tag of this.#unannounced) this.#forget(tag);',
    replace: '',
    tests,
  },
  {
    name: 'a key is remembered before any word has made it',
    rule: 'K1',
    file: KEYS,
    search: 'this.#unannounced.add(epoch.tag);',
    replace: '',
    tests,
  },
  {
    name: 'an epoch is clean though its maker had not seen who left',
    rule: 'K3',
    file: 'src/sync/epoch-keys.ts',
    search: 'if (![...this.#departures].every((word) => word === maker || inPast(word, maker))) return false;',
    replace: '',
    tests: ['test/sync/engine.test.ts'],
  },
];
