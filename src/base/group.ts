/** Items by what a function says of them, each group in the items' order. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) push(groups, keyOf(item), item);
  return groups;
}

/** One more in the group of a key. */
export function push<K, V>(groups: Map<K, V[]>, key: K, item: V): void {
  const group = groups.get(key);
  if (group) group.push(item);
  else groups.set(key, [item]);
}

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

/** Of each group what is left. */
export function filterGroups<K, V>(groups: Map<K, V[]>, isLeft: (item: V) => boolean): void {
  for (const [key, group] of groups) groups.set(key, group.filter(isLeft));
}
