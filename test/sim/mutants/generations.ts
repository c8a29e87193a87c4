/** What counts of a device's feeds, one after the other (D2). */
import type { Mutant } from './mutant.ts';

const GENERATIONS = 'src/sync/generations.ts';
const tests = ['test/sync/generations.test.ts'];

const change = (name: string, search: string, replace: string, file = GENERATIONS): Mutant => ({
  ...{ name, rule: 'D2', file, search, replace, tests },
});

/** Where a feed forks, too (D8). */
const forked: readonly Mutant[] = (
  [
    ['a branch begins as if nothing of its feed counted', GENERATIONS, 'folded ?? lane.parent?.closed ??', 'folded ??'],
    ['of a branch nothing was named before the cut', GENERATIONS, 'lane.parent?.namedAtCut ?? 0', '0'],
    [
      'a later feed says nothing beyond its fork, though a branch stands',
      GENERATIONS,
      'if (!upon) break;',
      'if (upon ?? true) break;',
    ],
    [
      'what is on a branch that nobody has named names an older feed',
      GENERATIONS,
      '!this.#branches.isAlone(node) && !this.knowsLater(node, lane)',
      '!this.knowsLater(node, lane)',
    ],
    [
      'a branch that stands says nothing beyond what is named of it',
      'src/sync/branches.ts',
      'return this.isUnnamed(node) && this.isContested(this.#lanes.all[node.lane]!);',
      'return this.isUnnamed(node);',
    ],
    [
      'what stands of a feed is not looked at again when a branch is named',
      GENERATIONS,
      'const isHeard = isNews && this.#hearBranches();',
      'const isHeard = false && this.#hearBranches();',
    ],
    [
      'what does not count anyhow is looked for on the branch alone',
      GENERATIONS,
      'nodeAlong(earlier, counts + 1)',
      'earlier.at(counts + 1)',
    ],
    [
      'a later feed says as much as before its fork has shown',
      GENERATIONS,
      'this.#standing = this.#lanes.branches.filter(({ isNamed }) => isNamed).length; this.#countAnew();',
      '',
    ],
    [
      'a feed that forks at once has not begun',
      GENERATIONS,
      'lane.end >= lane.first);',
      'lane.end >= lane.first && !lane.parent);',
    ],
    [
      'nobody knows of a feed that forks at once',
      'src/sync/lane.ts',
      'return lane.first === 1 ?',
      'return !lane.parent ?',
    ],
    [
      'in a base a feed that forks at once has not begun',
      'src/sync/frame.ts',
      'head.generation > lane.generation && tail.frontier)',
      'head.generation > lane.generation && tail.frontier && !head.parent)',
    ],
    [
      'a past goes no further than a branch',
      'src/sync/lane.ts',
      'for (let at: Lane | undefined = lane; at; at = at.parent) { const seq = past[at.number] ?? 0;',
      'for (const at of [lane]) { const seq = past[at.number] ?? 0;',
    ],
  ] as const
).map(([name, file, search, replace]) => ({
  ...{ name, rule: 'D2', file, search, replace, tests: ['test/sync/forked-generations.test.ts'] },
}));

export const generations: readonly Mutant[] = [
  change(
    'a new generation takes the place of none',
    'const isOther = this.#closeEarlier(node, lane);',
    'const isOther = false;',
  ),
  change('a late older feed takes its place', '(this.#hasLater(lane) ? NOTHING : undefined)', 'undefined'),
  change('what others had named does not count', 'if (end) named = Math.max(named, reachAlong(end.past, lane));', ''),
  change(
    'what others name later does not count',
    'lane.closed = { named, seen: this.#seenAnew(lane, { ...closed, named }, this.#nextOf(lane)) };',
    '',
  ),
  change(
    'what is named by who knows of a later feed counts',
    'named <= lane.closed!.named || this.#knowsLater(node.past, lane)',
    'named <= lane.closed!.named',
  ),
  change(
    'a lost tail comes back wherever it stands',
    'return prev && first && compareNodes(prev, first) < 0 ? reach : seen;',
    'return reach;',
  ),
  change(
    'a lost tail comes back where what counts of it anyhow stands',
    'nodeAlong(earlier, counts + 1)',
    'nodeAlong(earlier, seen + 1)',
  ),
  change(
    'what a later feed has brought in is not looked at again',
    'seen: this.#seenAnew(lane, { ...closed, named }, this.#nextOf(lane))',
    'seen: closed.seen',
  ),
  change(
    'how much a later feed has brought in depends on what was named first',
    'if (reach <= counts) return Math.max(reach, seen);',
    'if (reach <= counts) return seen;',
  ),
  change('any later feed brings in a lost tail', 'else if (next && this.#endOf(next) === lane)', 'else'),
  change('a later feed may know less', '|| this.#isBehind(node, lane)', ''),
  change('a later feed may stand before the older', ' || compareNodes(last, node) > 0', ''),
  change('a later feed need not have acknowledged what the older has', '!this.#knowsAllOf(node, last) || ', ''),
  change(
    'more can be said against a later feed when all have acknowledged it',
    'if (this.#standsBefore(earlier, named, node)) return true;',
    'if (this.#standsBefore(earlier, earlier.end, node)) return true;',
  ),
  change(
    'what a copy has folded upon does not count here till it is named',
    'if (!lane.closed || lane.parent || lane.isForked || named === lane.end || lane.generation < knownOf()) return named;',
    'return named;',
  ),
  change(
    'what the later one has in its past is to be named first, too',
    'if (!end || (later && this.#knowsAllOf(later, end))) return named;',
    'if (!end) return named;',
  ),
  change(
    'what a copy has folded upon is named with what denies it',
    'if (first.length > 0 && (this.#tip || this.#mayBegin(first))) return first;',
    '',
    'src/sync/own-feed.ts',
  ),
  change(
    'a copy that counts what others do not yet says what it adds up to',
    'if (this.isAhead) return false;',
    '',
    'src/sync/own-mark.ts',
  ),
  change(
    'who comes back names first what was before he was taken out',
    'return this.#endings.returned([device]).size > 0 && accepted.slice(-1).some(hasIt);',
    'return false;',
    'src/sync/own-feed.ts',
  ),
  change(
    'what is named first need not have what it cites in its past',
    'if (!cited || hasIt(this.#graph.get(cited.id)!)) return true;',
    'if (!cited) return true;',
    'src/sync/own-feed.ts',
  ),
  change(
    'what is named first need not have what lets its device in in its past',
    'const isUnaware = (node: Node) =>',
    'const isUnaware = (node: Node) =>\n      unnamed.includes(node) &&',
    'src/sync/heads.ts',
  ),
  change(
    'what was applied stays when the older feed shows',
    'return this.#putsBehind(lane) || isOther || isMore || isHeard;',
    'return isOther || isMore || isHeard;',
  ),
  change(
    'who has written nothing yet has acknowledged nothing',
    'if (tips.length > 0) return tips.some(hasIt);',
    'return tips.some(hasIt);',
    'src/sync/endings.ts',
  ),
  change(
    'a base forgets what counts of an older feed',
    'this.#generations.begin(lane, closed);',
    'this.#generations.begin(lane);',
    'src/sync/places.ts',
  ),
  change(
    'a base says that nobody has named an older feed',
    'return { named: lane.namedAtCut, seen };',
    'return { named: 0, seen };',
    'src/sync/frame.ts',
  ),
  {
    name: 'what has come back wants what is beyond a word',
    rule: 'D2',
    file: 'src/sync/own-feed.ts',
    search: 'return device === this.device && generation < this.generation;',
    replace: 'return false;',
    tests: ['test/sync/generations.test.ts'],
  },
  {
    name: 'a base tells what others have named beyond it',
    rule: 'L6',
    file: 'src/sync/frame.ts',
    search: 'return { named: lane.namedAtCut, seen };',
    replace: 'return { named: lane.closed?.named ?? 0, seen };',
    tests: ['test/sim/sim.test.ts'],
  },
  change('what is folded names nothing of an older feed', 'this.#generations.settle(node);', '', 'src/sync/places.ts'),
  {
    name: 'whom a branch lets in writes upon the other',
    rule: 'I4',
    file: 'src/sync/own-feed.ts',
    search: 'return this.#tip !== undefined || !this.#entrances.has(this.device) || this.#mayBegin(this.heads());',
    replace: 'return true;',
    tests,
  },
  {
    name: 'what is known of a device is asked for each of its older feeds',
    rule: 'D2',
    file: 'src/sync/generations.ts',
    search: 'this.#namedHere(lane, next, knownOf)',
    replace: 'this.#namedHere(lane, next)',
    tests: ['test/sync/costs.test.ts'],
  },
  {
    name: 'of each later feed all older ones are asked when something comes of one',
    rule: 'D2',
    file: 'src/sync/generations.ts',
    search: 'first !== undefined && this.#standsBefore(lane, named, first);',
    replace: 'first !== undefined && this.#isBehind(first, later);',
    tests: ['test/sync/costs.test.ts'],
  },
  {
    name: 'a feed that begins between two others says what counts of the first, though it does not count itself',
    rule: 'D2',
    file: 'src/sync/generations.ts',
    search: 'return first ? reachAlong(first.past, lane) > 0 : closed.seen > 0;',
    replace: 'void first; return true;',
    tests: ['test/sync/generations.test.ts', 'test/sync/two-hostile.test.ts'],
  },
  {
    name: 'what counted here alone counts on when what is written here knows better',
    rule: 'D2',
    file: 'src/sync/door.ts',
    search: 'return before.length !== this.#ahead.length || before.some(',
    replace: 'return false && before.some(',
    tests: ['test/sync/two-hostile.test.ts'],
  },
  {
    name: 'what an older feed had said is forgotten, by which a later one counts or not',
    rule: 'L4',
    file: 'src/sync/stability.ts',
    search: 'for (const end of graph.standingBefore(node))',
    replace: 'for (const end of [] as Node[])',
    tests: ['test/sync/two-hostile.test.ts'],
  },
  {
    name: 'a feed between two others begins for nobody when it is named',
    rule: 'D2',
    file: 'src/sync/generations.ts',
    search: '(closed.named === 0 && this.#bringInAnew(lane.device, lane.generation)) ||',
    replace: '',
    tests: ['test/sync/generations.test.ts'],
  },
  {
    name: 'one who denies what he had acknowledged puts everybody out of step alone',
    rule: 'L6',
    file: 'src/sync/passed-by.ts',
    search: 'isBarred(one) || this.#isDenial(one)',
    replace: 'isBarred(one)',
    tests: ['test/sync/denied-past.test.ts'],
  },
  {
    name: 'who goes on upon such a denial puts nobody out of step either',
    rule: 'L6',
    file: 'src/sync/passed-by.ts',
    search: 'before < generation && tip !== undefined && graph.coversCut(tip)',
    replace: 'before <= generation && tip !== undefined && graph.coversCut(tip)',
    tests: ['test/sync/denied-past.test.ts'],
  },
  {
    name: 'who begins anew takes a base of who says that his own is no good',
    rule: 'L6',
    file: 'src/sync/givers.ts',
    search: '|| this.#session.needsCopy(from))',
    replace: ')',
    tests: ['test/sync/renewal.test.ts'],
  },
  {
    name: 'how far each feed is named is looked for with each delta that is judged anew',
    rule: 'D2',
    file: 'src/sync/content.ts',
    search: 'this.#graph.whileStill(() => this.fold.reconsider((node, before) => this.#isJudgedAnew(node, before)));',
    replace: 'this.fold.reconsider((node, before) => this.#isJudgedAnew(node, before));',
    tests: ['test/sync/costs.test.ts'],
  },
  {
    name: 'how far each feed is named is looked for once and for all',
    rule: 'D2',
    file: 'src/sync/generations.ts',
    search: 'finally { this.#still = undefined; }',
    replace: 'finally { }',
    tests: ['test/sync/generations.test.ts', 'test/sync/histories.test.ts'],
  },
  {
    name: 'of older feeds that are named here the oldest alone is looked at',
    rule: 'D2',
    file: 'src/sync/generations.ts',
    search: 'if (this.#standsBefore(earlier, named, node)) return true;',
    replace: 'return this.#standsBefore(earlier, named, node);',
    tests: ['test/sync/generations.test.ts', 'test/sync/histories.test.ts'],
  },
  ...forked,
];
