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

/** Of each group what is left. */
export function filterGroups<K, V>(groups: Map<K, V[]>, isLeft: (item: V) => boolean): void {
  for (const [key, group] of groups) groups.set(key, group.filter(isLeft));
}
