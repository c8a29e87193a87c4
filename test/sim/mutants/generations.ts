/** What counts of a device's feeds, one after the other (D2). */
import type { Mutant } from './mutant.ts';

const GENERATIONS = 'src/sync/generations.ts';
const tests = ['test/sync/generations.test.ts'];

const change = (name: string, search: string, replace: string, file = GENERATIONS): Mutant => ({
  ...{ name, rule: 'D2', file, search, replace, tests },
});

export const generations: readonly Mutant[] = [
  change(
    'a new generation takes the place of none',
    'const isOther = this.#closeEarlier(node, lane);',
    'const isOther = false;',
  ),
  change('a late older feed takes its place', 'if (this.#nextOf(lane)) this.close(lane, { named: 0, seen: 0 });', ''),
  change('what others had named does not count', 'named = Math.max(named, lane.tip?.past[number] ?? 0);', ''),
  change(
    'what others name later does not count',
    'lane.closed = { named, seen: this.#seenAnew(lane, { ...closed, named }) };',
    '',
  ),
  change('what is named by who knows of a later feed counts', '|| this.#knowsLater(past, lane)', ''),
  change(
    'a lost tail comes back wherever it stands',
    'return prev && first && compareNodes(prev, first) < 0 ? reach : seen;',
    'return reach;',
  ),
  change(
    'a lost tail comes back where what counts of it anyhow stands',
    'earlier.at(counts + 1)',
    'earlier.at(seen + 1)',
  ),
  change(
    'what a later feed has brought in is not looked at again',
    'seen: this.#seenAnew(lane, { ...closed, named })',
    'seen: closed.seen',
  ),
  change(
    'how much a later feed has brought in depends on what was named first',
    'if (reach <= counts) return Math.max(reach, seen);',
    'if (reach <= counts) return seen;',
  ),
  change('any later feed brings in a lost tail', '|| this.#nextOf(earlier) !== lane', ''),
  change('a later feed may know less', '|| this.#isBehind(node, lane)', ''),
  change('a later feed may stand before the older', ' || this.#isBeforeNamed(node, earlier, seen)', ''),
  change('a later feed need not have acknowledged what the older has', '!this.#knowsAllOf(node, tip) || ', ''),
  change(
    'what was applied stays when the older feed shows',
    'return this.#putsBehind(lane) || isOther || isMore;',
    'return isOther || isMore;',
  ),
  change(
    'who has written nothing yet has acknowledged nothing',
    'if (tips.length > 0) return tips.some(hasIt);',
    'return tips.some(hasIt);',
    'src/sync/endings.ts',
  ),
  change(
    'a base forgets what counts of an older feed',
    'if (closed) this.#generations.close(lane, closed);',
    '',
    'src/sync/graph.ts',
  ),
  change(
    'a base says that nobody has named an older feed',
    'closed.named = Math.max(closed.named, lane.closed?.named ?? 0);',
    '',
    'src/sync/frame.ts',
  ),
];
