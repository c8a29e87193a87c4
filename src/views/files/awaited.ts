/** Files that somebody has opened before their content was here: they are shown by themselves once it is. Knows nothing of VS Code. */
import { errorCode } from '../errors.ts';
import type { FilePlace } from './place.ts';

/** Tabs that somebody leaves open; of more the first are forgotten. */
const MAX_AWAITED = 100;

export interface AwaitedOptions {
  /** Throws ServiceError. */
  stat(place: FilePlace): Promise<{ readonly present: boolean }>;
  show(place: FilePlace): void;
}

export class Awaited {
  readonly #options: AwaitedOptions;
  readonly #places = new Map<string, FilePlace>();
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(options: AwaitedOptions) {
    this.#options = options;
  }

  add(place: FilePlace): void {
    this.#places.set(keyOf(place), place);
    const [oldest] = this.#places.keys();
    if (oldest !== undefined && this.#places.size > MAX_AWAITED) this.#places.delete(oldest);
  }

  /** Something may have arrived. One look at a time, and another after it where one was asked for meanwhile. */
  look(): Promise<void> {
    this.#again = true;
    return (this.#looking ??= this.#lookOn().finally(() => (this.#looking = undefined)));
  }

  async #lookOn(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      for (const [key, place] of [...this.#places]) if (await this.#isOver(place)) this.#places.delete(key);
    }
  }

  async #isOver(place: FilePlace): Promise<boolean> {
    try {
      if (!(await this.#options.stat(place)).present) return false;
    } catch (error) {
      // Renamed or deleted meanwhile. What else keeps us from looking does not last.
      return errorCode(error) === 'notFound';
    }
    this.#options.show(place);
    return true;
  }
}

function keyOf({ workspace, tool, path }: FilePlace): string {
  return `${workspace}.${tool}${path}`;
}
