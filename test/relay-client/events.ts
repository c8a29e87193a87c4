/** Waiting for events instead of for time. */
import type { Event } from '../../src/base/event.ts';

/** The next value that fits. */
export function next<T>(event: Event<T>, fits: (value: T) => boolean = () => true): Promise<T> {
  return new Promise((resolve) => {
    const listening = event((value) => {
      if (!fits(value)) return;
      listening.dispose();
      resolve(value);
    });
  });
}

/** Resolves when `holds` does: asked now and after every event. */
export function until(holds: () => boolean, ...events: readonly Event<unknown>[]): Promise<void> {
  if (holds()) return Promise.resolve();
  return new Promise((resolve) => {
    const listening = events.map((event) =>
      event(() => {
        if (!holds()) return;
        for (const one of listening) one.dispose();
        resolve();
      }),
    );
  });
}

/** Everything that comes, from now on. */
export function collect<T>(event: Event<T>): T[] {
  const values: T[] = [];
  event((value) => values.push(value));
  return values;
}
