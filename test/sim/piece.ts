/**
 * What a run of worlds has found, as it is printed and as it is read again: a hundred thousand worlds are run in pieces, one after the
 * other or on several machines, and added up.
 */
import { Counts } from './counts.ts';
import { largeOnes, vacuous } from './vacuity.ts';

/** The worlds `<seed>.<from>` up to, not including, `<seed>.<end>`: all that were not left out. */
export interface Span {
  readonly seed: string;
  readonly from: number;
  readonly end: number;
}

export interface Piece {
  readonly spans: readonly Span[];
  readonly counts: Counts;
  readonly worlds: number;
  readonly deltas: number;
  readonly violations: number;
}

/** The lines it is printed as; the last is what is asked for by who runs it. */
export function linesOf({ spans, counts, worlds, deltas, violations }: Piece): readonly string[] {
  return [
    ...counts.entries().map(([name, count]) => `${String(count).padStart(10)}  ${name}`),
    ...vacuous(counts, worlds).map((name) => `NOT EXERCISED: ${name}`),
    largeOnes(counts, worlds),
    ...spans
      .filter(({ from, end }) => from < end)
      .map(({ seed, from, end }) => `worlds ${seed}.${from} to ${seed}.${end - 1}`),
    `sim worlds=${worlds} deltas=${deltas} violations=${violations}`,
  ];
}

/** Whether nothing broke, and enough was tried. */
export function isSound({ counts, worlds, violations }: Piece): boolean {
  return violations === 0 && vacuous(counts, worlds).length === 0;
}

/** Of what a run has printed; undefined where it did not come to its end. */
export function readPiece(text: string): Piece | undefined {
  const sum = /^sim worlds=(\d+) deltas=(\d+) violations=(\d+)\n?$/m.exec(text);
  if (!sum) return undefined;
  const [worlds, deltas, violations] = sum.slice(1).map(Number) as [number, number, number];
  const counts = new Counts();
  counts.merge([...text.matchAll(/^ *(\d+) {2}(.+)$/gm)].map(([, count, name]) => [name!, Number(count)]));
  const spans = [...text.matchAll(/^worlds (.+)\.(\d+) to .+\.(\d+)$/gm)].map(([, seed, from, last]): Span => ({
    seed: seed!,
    from: Number(from),
    end: Number(last) + 1,
  }));
  return { spans, counts, worlds, deltas, violations };
}

/** Undefined where two of them have run the same world. */
export function added(pieces: readonly Piece[]): Piece | undefined {
  const spans = pieces.flatMap((piece) => piece.spans);
  if (spans.some((span, i) => spans.slice(i + 1).some((other) => overlap(span, other)))) return undefined;
  const counts = new Counts();
  for (const piece of pieces) counts.merge(piece.counts.entries());
  const sum = (of: (piece: Piece) => number) => pieces.reduce((total, piece) => total + of(piece), 0);
  return {
    spans,
    counts,
    worlds: sum(({ worlds }) => worlds),
    deltas: sum(({ deltas }) => deltas),
    violations: sum(({ violations }) => violations),
  };
}

function overlap(a: Span, b: Span): boolean {
  return a.seed === b.seed && a.from < b.end && b.from < a.end;
}
