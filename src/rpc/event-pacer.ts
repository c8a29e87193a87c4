/**
 * Keeps a busy service from keeping a window's host busy. The first event of a kind passes at once; those that follow
 * within its pause become one:
 *
 * | event | pause | what becomes of several |
 * |---|---|---|
 * | workspaces, relay, devices | EVENT_PAUSE_MS | the last |
 * | import, join | EVENT_PAUSE_MS | the last of each operation, of each workspace |
 * | files | FILES_PAUSE_MS | their changes in order, at most MAX_CHANGES_PER_EVENT in one |
 * | all others | none | each is delivered |
 */
import type { FileChange, ServiceEvent } from '../service/api.ts';
import { EVENT_PAUSE_MS, FILES_PAUSE_MS, MAX_CHANGES_PER_EVENT } from './rpc-limits.ts';

interface Held {
  readonly timer: NodeJS.Timeout;
  readonly pause_ms: number;
  next: ServiceEvent | undefined;
  /** Of all the files events since. */
  readonly changes: FileChange[];
}

export class EventPacer {
  readonly #deliver: (event: ServiceEvent) => void;
  readonly #held = new Map<string, Held>();

  constructor(deliver: (event: ServiceEvent) => void) {
    this.#deliver = deliver;
  }

  push(event: ServiceEvent): void {
    const pace = paceOf(event);
    if (!pace) return this.#deliver(event);
    const held = this.#held.get(pace.key);
    if (!held) return this.#pass(pace.key, pace.pause_ms, event);
    held.next = event;
    if (event.type === 'files') for (const change of event.changes) held.changes.push(change);
  }

  dispose(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  #pass(key: string, pause_ms: number, event: ServiceEvent): void {
    this.#held.set(key, { timer: setTimeout(() => this.#over(key), pause_ms), pause_ms, next: undefined, changes: [] });
    for (const part of split(event)) this.#deliver(part);
  }

  #over(key: string): void {
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (!held?.next) return;
    const next = held.next.type === 'files' ? { ...held.next, changes: held.changes } : held.next;
    this.#pass(key, held.pause_ms, next);
  }
}

function paceOf(event: ServiceEvent): { readonly key: string; readonly pause_ms: number } | undefined {
  switch (event.type) {
    case 'workspaces':
    case 'relay':
    case 'devices':
      return { key: event.type, pause_ms: EVENT_PAUSE_MS };
    case 'import':
      return { key: `import ${event.operation}`, pause_ms: EVENT_PAUSE_MS };
    case 'join':
      return { key: `join ${event.join.workspace}`, pause_ms: EVENT_PAUSE_MS };
    case 'files':
      return { key: `files ${event.workspace} ${event.tool}`, pause_ms: FILES_PAUSE_MS };
    case 'chat':
    case 'joinRequest':
    case 'offer':
    case 'joined':
    case 'link':
    case 'deviceRequest':
    case 'notice':
      return undefined;
  }
}

function split(event: ServiceEvent): readonly ServiceEvent[] {
  if (event.type !== 'files' || event.changes.length <= MAX_CHANGES_PER_EVENT) return [event];
  const parts: ServiceEvent[] = [];
  for (let at = 0; at < event.changes.length; at += MAX_CHANGES_PER_EVENT) {
    parts.push({ ...event, changes: event.changes.slice(at, at + MAX_CHANGES_PER_EVENT) });
  }
  return parts;
}
