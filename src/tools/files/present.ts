/**
 * What a folder shows (F2, F4): every item under a name that is safe and stands once in the folder whatever the case,
 * and beside it a conflict copy for each further head. A pure function of the siblings, whatever order they come in,
 * so every replica shows the same names:
 *
 * 1. In the order of the siblings (D6 order key, then item), each takes its plain name where that is free.
 * 2. Then, in the same order, whoever found it taken gets ` (2)`, ` (3)` … So no plain name gives way to a made one.
 * 3. Last the conflict copies: ` (conflict copy of Bob)`, numbered in the same way where several are Bob's.
 */
import { toUtf8 } from '../../base/utf8.ts';
import { MAX_NAME_BYTES } from '../../protocol/limits.ts';
import { clashKey, safeName, withSuffix } from './safe-name.ts';

export interface SiblingInput {
  readonly item: string;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** D6 order key. */
  readonly order: string;
  /** In an order that is the same on every replica: the first is shown under the plain name, the others are conflict copies. */
  readonly heads: readonly { readonly version: string; readonly memberName: string }[];
}

export interface Shown {
  readonly item: string;
  /** Empty for a folder that has no versions. */
  readonly version: string;
  readonly shownName: string;
  /** Whose changes a conflict copy holds. */
  readonly conflictOf: string | undefined;
}

/** A member's name within a file's name; his whole one stands in `conflictOf`. */
const MAX_MEMBER_BYTES = 64;

/** Each item followed by its conflict copies, in the order of the siblings. A file without heads is not shown. */
export function presentFolder(siblings: readonly SiblingInput[]): readonly Shown[] {
  const present = siblings
    .filter((sibling) => sibling.kind === 'folder' || sibling.heads.length > 0)
    .sort((a, b) => compare(a.order, b.order) || compare(a.item, b.item));
  const names = new Names();
  const plain = present.map((sibling) => safeName(sibling.name));
  const taken = plain.map((name) => names.take(name));
  const shownNames = present.map((sibling, i) =>
    taken[i] ? plain[i]! : names.takeNumbered(plain[i]!, '', sibling.kind),
  );
  return present.flatMap((sibling, i): Shown[] => {
    const [head, ...others] = sibling.heads;
    const shownName = shownNames[i]!;
    const copies = others.map(({ version, memberName }): Shown => {
      const suffix = ` (conflict copy of ${memberPart(memberName)})`;
      const copyName = withSuffix(shownName, suffix, sibling.kind);
      return {
        item: sibling.item,
        version,
        shownName: names.take(copyName) ? copyName : names.takeNumbered(shownName, suffix, sibling.kind),
        conflictOf: memberName,
      };
    });
    return [{ item: sibling.item, version: head?.version ?? '', shownName, conflictOf: undefined }, ...copies];
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function memberPart(memberName: string): string {
  let part = '';
  for (const point of safeName(memberName)) {
    if (toUtf8(part + point).length > MAX_MEMBER_BYTES) break;
    part += point;
  }
  return part;
}

/** The names of one folder that are given away, by clash key. */
class Names {
  readonly #taken = new Set<string>();
  /** The number to try next, so that a thousand equal ones do not each begin at 2: of long names by what is made of them, since they are cut to the same. */
  readonly #next = new Map<string, number>();

  take(name: string): boolean {
    const key = clashKey(name);
    if (this.#taken.has(key)) return false;
    this.#taken.add(key);
    return true;
  }

  takeNumbered(name: string, suffix: string, kind: SiblingInput['kind']): string {
    const made = (number: number | string) => withSuffix(name, `${suffix} (${number})`, kind);
    // A longer number leaves less of the name.
    for (let digits = 1; ; digits++) {
      const zeros = '0'.repeat(digits);
      const isWhole = toUtf8(`${name}${suffix} (${zeros})`).length <= MAX_NAME_BYTES;
      const counter = `${digits} ${isWhole ? `${clashKey(name)}\0${clashKey(suffix)}` : clashKey(made(zeros))}`;
      const end = 10 ** digits;
      for (let number = this.#next.get(counter) ?? Math.max(2, end / 10); number < end; number++) {
        this.#next.set(counter, number + 1);
        const numbered = made(number);
        if (this.take(numbered)) return numbered;
      }
    }
  }
}
