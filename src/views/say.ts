/** Says things to the person: always a sentence of the table, never a stack. What a developer needs goes to the log, without names. */
import * as vscode from 'vscode';
import type { Disposable } from '../base/disposable.ts';
import { errorCode, errorDetail, errorTrace } from './errors.ts';
import { notify } from './notify.ts';
import { plain } from './plain.ts';
import { errorSentence, fills, type Sentence } from './sentences.ts';

/** The same warning again within this time is noise, and a peer could cause it without end. */
const REPEAT_AFTER_MS = 60_000;

export class Say implements Disposable {
  readonly #makeLog: () => vscode.LogOutputChannel;
  #log: vscode.LogOutputChannel | undefined;
  readonly #lastSaid = new Map<string, number>();

  constructor(makeLog: () => vscode.LogOutputChannel) {
    this.#makeLog = makeLog;
  }

  get log(): vscode.LogOutputChannel {
    this.#log ??= this.#makeLog();
    return this.#log;
  }

  /** The sentence of a failure, filled in. */
  textOf(error: unknown, detail: Readonly<Record<string, string>> = {}): string {
    const all = { ...detail, ...errorDetail(error) };
    return render(errorSentence(errorCode(error), all), all);
  }

  /** Says a failure and logs where it was. `detail` names what was being done, for what the error itself does not tell. */
  async error(error: unknown, detail: Readonly<Record<string, string>> = {}): Promise<void> {
    const code = errorCode(error);
    this.log.error(errorTrace(error));
    const showLog = vscode.l10n.t('Show Log');
    const actions = code === 'internal' || code === 'storeFailed' ? [showLog] : [];
    const all = { ...detail, ...errorDetail(error) };
    const answer = await this.show(errorSentence(code, all), all, ...actions);
    if (answer === showLog) this.log.show();
  }

  show(
    sentence: Sentence,
    detail: Readonly<Record<string, string>>,
    ...actions: readonly string[]
  ): Thenable<string | undefined> {
    const text = render(sentence, detail);
    // Of a notification without a button VS Code shows the first line alone: what was kept and what to do stand behind it.
    const buttons = actions.length > 0 ? actions : [vscode.l10n.t('OK')];
    return notify(sentence.severity, text, ...buttons);
  }

  /** As `show`, but not again soon for the same `about`. */
  async once(
    about: string,
    sentence: Sentence,
    detail: Readonly<Record<string, string>>,
    ...actions: readonly string[]
  ): Promise<string | undefined> {
    const now = Date.now();
    if (now - (this.#lastSaid.get(about) ?? -Infinity) < REPEAT_AFTER_MS) return undefined;
    this.#lastSaid.set(about, now);
    return this.show(sentence, detail, ...actions);
  }

  /** Runs a person's command: a failure is said, never thrown at VS Code, which would show it raw. */
  async guard<T>(work: () => Promise<T>, detail: Readonly<Record<string, string>> = {}): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (errorCode(error) === 'cancelled') return undefined;
      void this.error(error, detail);
      return undefined;
    }
  }

  dispose(): void {
    this.#log?.dispose();
  }
}

/** Plain, since what a file system throws VS Code shows in notifications of its own. */
export function render(sentence: Sentence, detail: Readonly<Record<string, string>>): string {
  return plain(vscode.l10n.t(sentence.text, fills(detail)));
}
