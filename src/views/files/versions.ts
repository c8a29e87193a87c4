/**
 * What VS Code has seen of each file, so that a save says what it builds upon and a stat says whether there is something newer.
 *
 * The base of a write is the version last *read* (or written) here, not the one last stat'ed: VS Code stats just before it saves, and a base
 * taken from there would declare as known what nobody has looked at, and so overwrite it.
 *
 * VS Code tells versions apart by time and size, and only a later time is newer to it. Times are other clocks' claims, so each further
 * version of a file is shown at least one millisecond after the one before.
 */
import { Turns } from '../../base/turns.ts';

interface Seen {
  /** The version whose content VS Code holds. */
  read: string | undefined;
  version: string;
  modified: number;
  shown: number;
}

/** An open window rarely touches more; beyond it the longest untouched are forgotten, and a write then builds upon what is there. */
const MAX_FILES = 10_000;

export class Versions {
  readonly #files = new Map<string, Seen>();
  readonly #writes = new Turns<string>();
  readonly #beside = new Map<string, string>();

  /** The time to show for a version that was just stat'ed. */
  stat(key: string, version: string, modified: number): number {
    const seen = this.#files.get(key);
    if (seen?.version === version && seen.modified === modified) return seen.shown;
    const shown = seen === undefined ? modified : Math.max(modified, seen.shown + 1);
    this.#set(key, { read: seen?.read, version, modified, shown });
    return shown;
  }

  read(key: string, version: string): void {
    this.#beside.delete(key);
    const seen = this.#files.get(key);
    if (seen === undefined) this.#set(key, { read: version, version, modified: 0, shown: 0 });
    else this.#set(key, { ...seen, read: version });
  }

  /** Read while there is unsaved text, which is upon another: that stays the base, till the text is what was read. */
  readBeside(key: string, version: string): void {
    this.#beside.set(key, version);
  }

  /** There is no unsaved text any more: what was read beside it has taken its place, but where it was saved. */
  adopt(key: string): void {
    const version = this.#beside.get(key);
    if (version !== undefined) this.read(key, version);
  }

  /** What a write builds upon; undefined where nothing was read. */
  base(key: string): string | undefined {
    return this.#files.get(key)?.read;
  }

  /**
   * After a write that did not become what is shown (but a conflict copy): VS Code believes that its own text stands there, and reads
   * again only if the time has moved.
   */
  touch(key: string): void {
    const seen = this.#files.get(key);
    if (seen !== undefined) this.#set(key, { ...seen, shown: seen.shown + 1 });
  }

  /** The event of a write of our own comes before its answer: until that is here, it looks like another's. */
  writing(key: string, write: Promise<unknown>): void {
    // Whoever writes hears of its failure.
    this.#writes.run(key, () => write).catch(() => undefined);
  }

  /** Resolves when no write of ours is under way. */
  async settled(key: string): Promise<void> {
    for (let end = this.#writes.end(key); end; end = this.#writes.end(key)) await end;
  }

  /** It is there under another name, and so is what is below it: a tab that holds unsaved text builds upon what it had read. */
  move(from: string, to: string): void {
    for (const [key, seen] of [...this.#files]) {
      if (key !== from && !key.startsWith(`${from}/`)) continue;
      this.#files.delete(key);
      this.#set(to + key.slice(from.length), seen);
    }
  }

  forget(key: string): void {
    this.#beside.delete(key);
    this.#files.delete(key);
  }

  #set(key: string, seen: Seen): void {
    this.#files.delete(key);
    this.#files.set(key, seen);
    if (this.#files.size > MAX_FILES) {
      for (const oldest of this.#files.keys()) {
        this.#files.delete(oldest);
        break;
      }
    }
  }
}
