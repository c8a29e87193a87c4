/**
 * The joins of this window's person, from accepting to the whole copy. A join that waits for somebody's confirmation may wait for days:
 * its notification ends with a word of what happens next, and the tree keeps showing it; progress comes back with the copy.
 */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { Emitter } from '../base/event.ts';
import type { JoinInfo } from '../service/api.ts';
import { growth } from './amounts.ts';
import type { House } from './house.ts';
import { notifyWhile } from './notify.ts';
import { doneSentences, joinSentences } from './sentences.ts';
import { joinWords } from './tree-item.ts';

/**
 * What is over sooner is told by its end alone. VS Code drops the toast of a fourth notification within 800 ms, and of a quick join that was
 * the one which says that one is in.
 */
const TELL_AFTER_MS = 1000;

export class Joins implements Disposable {
  readonly #house: House;
  readonly #held = new DisposableStore();
  readonly #progress = new Emitter<JoinInfo>();
  /** Joins with a notification of progress now. */
  readonly #shown = new Set<string>();
  /** Joins of which the person was told that they wait, and those that are over. */
  readonly #told = new Map<string, JoinInfo['state']>();
  /** How each join was last heard of to stand. */
  readonly #latest = new Map<string, JoinInfo>();
  readonly #soon = new Map<string, NodeJS.Timeout>();

  constructor(house: House) {
    this.#house = house;
    this.#held.add(
      house.session.events((event) => {
        if (event.type === 'join') this.follow(event.join);
      }),
    );
    this.#held.add(
      house.session.onState((state) => {
        if (state.kind === 'open') void this.#resume();
      }),
    );
  }

  follow(join: JoinInfo): void {
    this.#latest.set(join.workspace, join);
    this.#progress.fire(join);
    switch (join.state) {
      case 'asking':
      case 'copying':
        this.#told.delete(join.workspace);
        if (!this.#shown.has(join.workspace)) this.#tellSoon(join.workspace);
        return;
      case 'waiting':
        this.#tellSoon(join.workspace);
        return;
      case 'done':
      case 'refused':
      case 'failed':
        this.#tellOnce(join);
    }
  }

  #tellSoon(workspace: string): void {
    if (this.#soon.has(workspace)) return;
    const timer = setTimeout(() => {
      this.#soon.delete(workspace);
      const join = this.#latest.get(workspace);
      if (join?.state === 'waiting') this.#tellOnce(join);
      else if ((join?.state === 'asking' || join?.state === 'copying') && !this.#shown.has(workspace))
        void this.#show(join);
    }, TELL_AFTER_MS);
    this.#soon.set(workspace, timer);
  }

  #tellOnce(join: JoinInfo): void {
    if (this.#told.get(join.workspace) === join.state) return;
    this.#told.set(join.workspace, join.state);
    void this.#tell(join);
  }

  dispose(): void {
    for (const timer of this.#soon.values()) clearTimeout(timer);
    this.#held.dispose();
    this.#progress.dispose();
  }

  /** What was under way when VS Code was closed. */
  async #resume(): Promise<void> {
    const joins = await this.#house.session.current?.joins().catch(() => []);
    for (const join of joins ?? []) if (join.state === 'copying') this.follow(join);
  }

  async #show(first: JoinInfo): Promise<void> {
    this.#shown.add(first.workspace);
    const { own, workspaceName: name } = first;
    const title = own ? vscode.l10n.t('Fetching {0}', name) : vscode.l10n.t('Joining {0}', name);
    await notifyWhile(title, async (progress, token) => {
      let shown = 0;
      const report = (join: JoinInfo): void => {
        const { increment, now } = growth(shown, join.doneBytes, join.totalBytes);
        shown = now;
        progress.report({ message: joinWords(join), increment });
      };
      report(first);
      await new Promise<void>((resolve) => {
        const held = new DisposableStore();
        const end = (): void => {
          held.dispose();
          resolve();
        };
        held.add(
          this.#progress.event((join) => {
            if (join.workspace !== first.workspace) return;
            if (join.state === 'asking' || join.state === 'copying') report(join);
            else end();
          }),
        );
        held.add(
          token.onCancellationRequested(() => {
            void this.#cancel(first.workspace).finally(end);
          }),
        );
        held.add(this.#house.session.onState((state) => state.kind !== 'open' && end()));
      });
    });
    this.#shown.delete(first.workspace);
  }

  async #cancel(workspace: string): Promise<void> {
    await this.#house.say.guard(async () => (await this.#house.session.api()).cancelJoin(workspace));
  }

  async #tell({ state, own, reason, workspaceName: workspace }: JoinInfo): Promise<void> {
    const { say } = this.#house;
    if (state === 'waiting') {
      await say.show(doneSentences.asked, { workspace });
    } else if (state === 'done') {
      const show = vscode.l10n.t('Show');
      const answer = await say.show(own ? doneSentences.fetched : doneSentences.joined, { workspace }, show);
      if (answer === show) await vscode.commands.executeCommand('coterie.workspaces.focus');
    } else if (state === 'refused') {
      await say.show(joinSentences[reason ?? 'unknown'], { workspace });
    }
  }
}
