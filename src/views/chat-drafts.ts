/**
 * What is written in chats and not sent. VS Code keeps it with the tab of the chat alone, and forgets it with that: so it is kept here too, where VS
 * Code keeps the texts of unsaved files, with the window's folder or workspace. And what is being sent, until it is known what became of it:
 * where another window does not answer that may last, and this one may be closed meanwhile.
 */
import type * as vscode from 'vscode';
import type { ChatPlace } from '../rpc/messages.ts';
import { readUnsent, type Unsent } from '../webviews/chat/messages.ts';

const KEY = 'coterie.drafts';
/** Nobody writes in as many at a time. Of more the first are forgotten. */
const MAX_CHATS = 100;

export interface Sending {
  readonly text: string;
  /** Which post it is to change. */
  readonly post?: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

interface Kept {
  readonly unsent?: Unsent | undefined;
  readonly sending: readonly Sending[];
}

const NOTHING: Kept = { sending: [] };

export class ChatDrafts {
  readonly #state: vscode.Memento;
  readonly #kept: Map<string, Kept>;
  /** What was being sent as VS Code ended. */
  readonly #left: ReadonlySet<Sending>;

  constructor(state: vscode.Memento) {
    this.#state = state;
    this.#kept = new Map(keptIn(state.get(KEY)));
    this.#left = new Set([...this.#kept.values()].flatMap(({ sending }) => sending));
  }

  unsent(place: ChatPlace): Unsent | undefined {
    return this.#of(place).unsent;
  }

  keep(place: ChatPlace, unsent: Unsent): void {
    this.#put(place, { ...this.#of(place), unsent: textsOf(unsent).length > 0 ? unsent : undefined });
  }

  /** What was being sent as VS Code ended, and of which is not told yet what became of it. */
  left(place: ChatPlace): readonly Sending[] {
    return this.#of(place).sending.filter((one) => this.#left.has(one));
  }

  /** Until `end`. */
  begin(place: ChatPlace, sending: Sending): void {
    const kept = this.#of(place);
    this.#put(place, { ...kept, sending: [...kept.sending, sending] });
  }

  end(place: ChatPlace, sending: Sending): void {
    const kept = this.#of(place);
    this.#put(place, { ...kept, sending: kept.sending.filter((one) => one !== sending) });
  }

  /** All that is kept of the chats of a workspace, which is kept no longer. */
  take(workspace: string): readonly string[] {
    const keys = [...this.#kept.keys()].filter((key) => key.startsWith(`${workspace}.`));
    const texts = keys.flatMap((key) => {
      const { unsent, sending } = this.#kept.get(key)!;
      return [...sending.map(({ text }) => text), ...(unsent ? textsOf(unsent) : [])];
    });
    for (const key of keys) this.#kept.delete(key);
    if (keys.length > 0) this.#save();
    return texts;
  }

  #of(place: ChatPlace): Kept {
    return this.#kept.get(keyOf(place)) ?? NOTHING;
  }

  #put(place: ChatPlace, kept: Kept): void {
    const key = keyOf(place);
    const isKept = this.#kept.delete(key);
    if (kept.unsent !== undefined || kept.sending.length > 0) this.#kept.set(key, kept);
    else if (!isKept) return;
    if (this.#kept.size > MAX_CHATS) this.#kept.delete(this.#kept.keys().next().value!);
    this.#save();
  }

  #save(): void {
    void this.#state.update(KEY, [...this.#kept]);
  }
}

export function keyOf({ workspace, tool }: ChatPlace): string {
  return `${workspace}.${tool}`;
}

function textsOf({ draft, put = '', later = [] }: Unsent): readonly string[] {
  return [put, draft, ...later.map(({ text }) => text)].filter((text) => text.trim() !== '');
}

/** As it was kept, by whichever version of this. */
function keptIn(kept: unknown): readonly (readonly [string, Kept])[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((one: unknown) => {
    if (!Array.isArray(one) || typeof one[0] !== 'string' || typeof one[1] !== 'object' || one[1] === null) return [];
    const { unsent, sending } = one[1] as Record<string, unknown>;
    const isOne = (value: unknown): value is Sending =>
      typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string';
    return [[one[0], { unsent: readUnsent(unsent), sending: Array.isArray(sending) ? sending.filter(isOne) : [] }]];
  });
}
