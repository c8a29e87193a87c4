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

/** So many of all: the last of each group in turns, so that one with many leaves room for the others. */
export function lastInTurns<T>(groups: Iterable<readonly T[]>, most: number): readonly T[] {
  const all = [...groups];
  const taken: T[] = [];
  for (let turn = 1; taken.length < most; turn++) {
    const next = all.flatMap((group) => (turn <= group.length ? [group.at(-turn)!] : []));
    if (next.length === 0) break;
    taken.push(...next.slice(0, most - taken.length));
  }
  return taken;
}

/** Of each group what is left. */
export function filterGroups<K, V>(groups: Map<K, V[]>, isLeft: (item: V) => boolean): void {
  for (const [key, group] of groups) groups.set(key, group.filter(isLeft));
}
