/** A long run in pieces is the same run. */
import assert from 'node:assert/strict';
import { added, isSound, linesOf, readPiece, type Piece } from './piece.ts';
import { runWorlds } from './pool.ts';

const SEED = 'piece';

async function run(from: number, worlds: number): Promise<Piece> {
  const { counts, findings, end, ...rest } = await runWorlds({ seed: SEED, from, worlds, workers: 1 });
  const violations = findings.reduce((sum, finding) => sum + finding.violations.length, 0);
  return { ...rest, counts, violations, spans: [{ seed: SEED, from, end }] };
}

describe('pieces of a run', function () {
  this.timeout(60_000);

  let first: Piece;
  before(async () => void (first = await run(3, 1)));

  it('add up to what the run in one piece counts, also when they are read from what was printed', async () => {
    // None of these is a large one.
    const [whole, second] = [await run(3, 2), await run(4, 1)];
    const read = [first, second].map((piece) => readPiece(`${linesOf(piece).join('\n')}\n`)!);
    const sum = added(read)!;
    assert.deepEqual(sum.counts.entries(), whole.counts.entries());
    assert.deepEqual([sum.worlds, sum.deltas], [whole.worlds, whole.deltas]);
    assert.deepEqual(sum.spans, [...first.spans, ...second.spans]);
    assert.equal(linesOf(sum).at(-1), `sim worlds=2 deltas=${whole.deltas} violations=${whole.violations}`);
  });

  it('of which two have a world in common are not added, nor one that did not come to its end', () => {
    assert.equal(added([first, first]), undefined);
    assert.equal(readPiece(linesOf(first).slice(0, -1).join('\n')), undefined);
  });

  it('with a violation in one are not sound', () => {
    const broken = { ...first, spans: [{ seed: 'other', from: 0, end: 1 }], violations: 1 };
    assert.deepEqual([isSound(added([broken])!), added([{ ...first, violations: 0 }, broken])?.violations], [false, 1]);
  });
});
