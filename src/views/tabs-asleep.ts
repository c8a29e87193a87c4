/**
 * The tabs of a chat that are asleep, as far as they can be told from others: a tab says its label and nothing else, and one that is closed
 * takes along what is written in it. `awake` and `all` are the titles of the chats that are open and of those that there are.
 */
export function tabsAsleep<T extends { readonly label: string }>(
  tabs: readonly T[],
  title: string,
  awake: readonly string[],
  all: readonly string[],
): readonly T[] {
  const isAnothersToo = awake.includes(title) || count(all, title) > 1;
  // A tab takes its title with delay: until each that is awake is found by its own, any may be one of them.
  const labels = tabs.map(({ label }) => label);
  const areAwakeKnown = awake.every((one) => count(labels, one) >= count(awake, one));
  return isAnothersToo || !areAwakeKnown ? [] : tabs.filter(({ label }) => label === title);
}

function count(titles: readonly string[], title: string): number {
  return titles.filter((one) => one === title).length;
}
