/**
 * What this person has not seen yet: others' content that arrived since, by tool and item. Survives a restart through local marks of
 * what was seen, and of what was not when the delta that it came with was folded (L4).
 */
import type { ToolId, WorkspaceId } from '../base/ids.ts';
import { asCount } from '../protocol/codec.ts';
import type { LocalState } from './local-state.ts';

export class Unread {
  readonly #local: LocalState;
  readonly #prefix: string;
  readonly #keptPrefix: string;
  readonly #items = new Map<ToolId, Map<string, number>>();
  /** The marks of what was seen, as they stand in the local state, by tool: every delta that comes is held against them. */
  readonly #seen = new Map<ToolId, SeenMarks>();

  constructor(local: LocalState, workspace: WorkspaceId) {
    this.#local = local;
    this.#prefix = `seen/${workspace}/`;
    this.#keptPrefix = `unread/${workspace}/`;
  }

  /** What was unread when it was folded. */
  restore(isThere: (tool: ToolId, item: string) => boolean): void {
    for (const [key, value] of [...this.#local.under(this.#keptPrefix)]) {
      const [tool, item] = key.split('/') as [ToolId, string];
      const arrival = asCount(value);
      if (arrival !== undefined && isThere(tool, item)) this.note(tool, item, arrival);
      if (!this.has(tool, item)) this.#local.drop(this.#keptPrefix + key);
    }
  }

  /** The delta that an item came with leaves the log: whether it is unread is kept in a mark. */
  keep(tool: ToolId, item: string): void {
    const arrival = this.#items.get(tool)?.get(item);
    if (arrival !== undefined) this.#local.put(`${this.#keptPrefix}${tool}/${item}`, arrival);
  }

  /** Something of another member's arrived; `arrival` is its place in the order of arrival. */
  note(tool: ToolId, item: string, arrival: number): void {
    const seen = this.#seenOf(tool);
    if (arrival <= seen.all || arrival <= (seen.items.get(item) ?? 0)) return;
    const items = this.#items.get(tool);
    if (items) items.set(item, arrival);
    else this.#items.set(tool, new Map([[item, arrival]]));
  }

  has(tool: ToolId, item: string): boolean {
    return this.#items.get(tool)?.has(item) ?? false;
  }

  count(tool: ToolId): number {
    return this.#items.get(tool)?.size ?? 0;
  }

  /** Answers what was unread and is not any more. */
  see(tool: ToolId, item: string | undefined, arrivals: number): readonly string[] {
    const items = this.#items.get(tool);
    if (!items) return [];
    if (item === undefined) {
      this.#local.put(`${this.#prefix}${tool}/*`, arrivals);
      this.#seen.set(tool, { all: arrivals, items: new Map() });
      for (const [key] of [...this.#local.under(`${this.#prefix}${tool}/`)]) {
        if (key !== '*') this.#local.drop(`${this.#prefix}${tool}/${key}`);
      }
      this.#items.delete(tool);
      for (const key of items.keys()) this.#local.drop(`${this.#keptPrefix}${tool}/${key}`);
      return [...items.keys()];
    }
    if (!items.delete(item)) return [];
    this.#local.drop(`${this.#keptPrefix}${tool}/${item}`);
    this.#local.put(`${this.#prefix}${tool}/${item}`, arrivals);
    this.#seenOf(tool).items.set(item, arrivals);
    return [item];
  }

  /** In another copy arrivals are counted anew, so many are here: of these what is unread stays so, and all else was seen. */
  begunAnew(arrivals: number): void {
    const marks = [...this.#local.under(this.#prefix)].map(([key]) => key);
    const tools = new Set([...marks.map((key) => key.split('/')[0] as ToolId), ...this.#items.keys()]);
    for (const key of marks) this.#local.drop(this.#prefix + key);
    for (const tool of tools) {
      this.#local.put(`${this.#prefix}${tool}/*`, arrivals);
      this.#seen.set(tool, { all: arrivals, items: new Map() });
      for (const item of this.#items.get(tool)?.keys() ?? []) {
        this.#items.get(tool)!.set(item, arrivals + 1);
        this.keep(tool, item);
      }
    }
  }

  /** What is gone cannot be read. */
  forget(tool: ToolId, item: string): void {
    if (this.#items.get(tool)?.delete(item)) this.#local.drop(`${this.#keptPrefix}${tool}/${item}`);
  }

  #seenOf(tool: ToolId): SeenMarks {
    const known = this.#seen.get(tool);
    if (known) return known;
    const seen: SeenMarks = { all: 0, items: new Map() };
    for (const [item, value] of this.#local.under(`${this.#prefix}${tool}/`)) {
      const arrival = asCount(value) ?? 0;
      if (item === '*') seen.all = arrival;
      else seen.items.set(item, arrival);
    }
    this.#seen.set(tool, seen);
    return seen;
  }
}

/** Up to which arrival everything of a tool was seen, and its items one by one. */
interface SeenMarks {
  all: number;
  readonly items: Map<string, number>;
}
