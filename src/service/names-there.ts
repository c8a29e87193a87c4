/** What stands in a folder, by each name under which it may be met again (F4): made once for many that are looked for. */
import { push } from '../base/group.ts';
import type { TreeEntry } from './file-tree.ts';

const NONE: readonly TreeEntry[] = [];

export class NamesThere {
  readonly #own = new Map<string, TreeEntry[]>();
  readonly #shown = new Map<string, TreeEntry[]>();
  readonly #composed = new Map<string, TreeEntry[]>();

  constructor(entries: Iterable<TreeEntry>) {
    for (const entry of entries) {
      push(this.#own, entry.item.name, entry);
      push(this.#shown, entry.name, entry);
      push(this.#composed, entry.item.name.normalize('NFC'), entry);
    }
  }

  /** By the name that it was given. */
  own(name: string): readonly TreeEntry[] {
    return this.#own.get(name) ?? NONE;
  }

  /** By the name that is shown. */
  shown(name: string): readonly TreeEntry[] {
    return this.#shown.get(name) ?? NONE;
  }

  /** By the name that it was given, however its marks are spelled. */
  composed(name: string): readonly TreeEntry[] {
    return this.#composed.get(name.normalize('NFC')) ?? NONE;
  }
}
