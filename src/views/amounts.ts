/** Amounts as people read them. */
const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

export function amount(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]!}`;
}

/** At most two characters: all that a badge in a tree has room for. */
export function badge(count: number): string {
  return count > 9 ? '9+' : String(count);
}

/** The percentage that a progress bar grows by, and the new total; a whole that is not known yet grows nothing. */
export function growth(
  before: number,
  done: number,
  total: number,
): { readonly increment: number; readonly now: number } {
  const now = total <= 0 ? before : Math.max(before, Math.min(100, Math.floor((100 * done) / total)));
  return { increment: now - before, now };
}
