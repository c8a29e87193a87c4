/** One of each group in turns, each group in its order, until there are so many: where not all have room, none takes that of the others. */
export function inTurns<T>(groups: readonly (readonly T[])[], most: number): readonly T[] {
  const taken: T[] = [];
  const longest = groups.reduce((length, group) => Math.max(length, group.length), 0);
  for (let turn = 0; turn < longest; turn++) {
    for (const group of groups) {
      if (turn >= group.length) continue;
      if (taken.length === most) return taken;
      taken.push(group[turn]!);
    }
  }
  return taken;
}
