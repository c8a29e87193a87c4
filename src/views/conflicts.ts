/**
 * F2: what this person and somebody else have changed at the same time. What comes together is told together, and again no sooner than after
 * a minute, since a member could cause it without end; what comes in that time is told at its end.
 */
import * as vscode from 'vscode';
import type { Disposable } from '../base/disposable.ts';
import type { ServiceEvent } from '../service/api.ts';
import { showList } from './commands/transfers.ts';
import { counts } from './counts.ts';
import { baseName, type FilePlace } from './files/place.ts';
import { uriOf } from './files/uri.ts';
import type { House } from './house.ts';
import { conflictsSentence, noticeSentences } from './sentences.ts';

type Notice = ServiceEvent & { readonly type: 'notice' };

const TOGETHER_MS = 1000;
const AGAIN_AFTER_MS = 60_000;

export class Conflicts implements Disposable {
  readonly #house: House;
  #untold: readonly Notice[] = [];
  #told = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(house: House) {
    this.#house = house;
  }

  add(notice: Notice): void {
    this.#untold = [...this.#untold, notice];
    const wait_ms = Math.min(AGAIN_AFTER_MS, Math.max(TOGETHER_MS, this.#told + AGAIN_AFTER_MS - performance.now()));
    this.#timer ??= setTimeout(() => this.#tell(), wait_ms);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#timer = undefined;
    this.#told = performance.now();
    const told = this.#untold;
    this.#untold = [];
    const [first, ...more] = told;
    if (first !== undefined) void (more.length === 0 ? this.#tellOne(first) : this.#tellAll(told));
  }

  async #tellOne({ workspace = '', detail }: Notice): Promise<void> {
    const { tool = '', path = '', copy = '' } = detail;
    const compare = vscode.l10n.t('Compare');
    const file = baseName(path);
    const answer = await this.#house.say.show(noticeSentences.conflict, { ...detail, file }, compare);
    if (answer !== compare) return;
    const [theirs, shown] = [copy, path].map((one) => uriOf({ workspace, tool, path: one } satisfies FilePlace));
    await vscode.commands.executeCommand('vscode.diff', theirs, shown, `${baseName(copy)} ↔ ${file}`);
  }

  async #tellAll(told: readonly Notice[]): Promise<void> {
    const show = vscode.l10n.t('Show Which');
    const files = counts.files(told.length);
    if ((await this.#house.say.show(conflictsSentence, { files }, show)) !== show) return;
    const lines = told.map(({ detail: { name = '', path = '', copy = '' } }) => `${name}: ${path} – ${baseName(copy)}`);
    await showList(this.#house, lines);
  }
}
