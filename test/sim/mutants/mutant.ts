/**
 * A mutant: the engine with one rule broken, which the simulator or a named test must notice. It is a place in a source file and
 * what stands there instead; the place is found by its tokens, so that another layout of the same code is the same place.
 */
export interface Mutant {
  readonly name: string;
  /** The rule that is broken. */
  readonly rule: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly search: string;
  readonly replace: string;
  /** Files of tests that notice; without them it is the simulator's to notice. */
  readonly tests?: readonly string[];
}

/** Identifiers, numbers and signs; what is between them is layout. */
const TOKEN = /[\w$#]+|[^\s\w$#]/g;

/** The source with the mutation in it, or how often the place was found. */
export function mutated(source: string, { search, replace }: Mutant): string | number {
  const tokens = search.match(TOKEN) ?? [];
  const place = new RegExp(tokens.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('\\s*'), 'g');
  const found = [...source.matchAll(place)];
  const [first] = found;
  if (found.length !== 1 || !first) return found.length;
  return source.slice(0, first.index) + replace + source.slice(first.index + first[0].length);
}
