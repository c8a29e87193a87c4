/** What pictures are taken of, and with. */
import { setTimeout as pass } from 'node:timers/promises';
import type { Person, Theme } from '../driver/person.ts';
import type { Workbench } from '../driver/workbench.ts';
import type { MadeUp } from './made-up.ts';

/** As many as VS Code shows at once. */
const TOASTS = 3;
/** VS Code shows no fourth toast that comes sooner after one before it. */
const TOAST_PAUSE_MS = 800;

export class Scene {
  readonly person: Person;
  readonly made: MadeUp;
  readonly theme: Theme;

  constructor(person: Person, made: MadeUp, theme: Theme) {
    this.person = person;
    this.made = made;
    this.theme = theme;
  }

  get window(): Workbench {
    return this.person.window;
  }

  /** Told apart from the same in another theme, since the same notice is said once. */
  get name(): string {
    return this.theme === 'dark' ? 'Apollo' : 'Apollo in the light';
  }

  async shot(title: string): Promise<void> {
    await this.person.shot(`p-${title}-${this.theme}`);
  }

  /** Pictures of what is told, as many on each as VS Code shows; `tell` has one of them told. */
  async toasts<T>(title: string, all: readonly T[], tell: (one: T) => unknown): Promise<void> {
    for (let at = 0; at < all.length; at += TOASTS) {
      const some = all.slice(at, at + TOASTS);
      for (const [n, one] of some.entries()) {
        await tell(one);
        await this.window.toasts.nth(n).waitFor();
      }
      await this.shot(all.length <= TOASTS ? title : `${title}-${1 + at / TOASTS}`);
      await this.clear();
    }
  }

  async clear(): Promise<void> {
    await this.window.clearToasts();
    await this.window.toasts.first().waitFor({ state: 'detached' });
    await pass(TOAST_PAUSE_MS);
  }

  /** A picture of the dialog that is open or about to be, which is then left. */
  async dialog(title: string): Promise<void> {
    await this.window.dialog.waitFor();
    await this.shot(title);
    await this.window.escape();
    await this.window.dialog.waitFor({ state: 'hidden' });
  }

  /** A picture of the list or the box that is open or about to be, once it shows something; it is then left. */
  async list(title: string, shows: string | RegExp): Promise<void> {
    await this.window.choice(shows).waitFor();
    await this.shot(title);
    await this.window.closeInput();
  }
}
