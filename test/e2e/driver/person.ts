// A person: a VS Code of their own, a browser profile of their own, and hands.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrowser, type BrowserSession } from '../../../scripts/vscode/browser.ts';
import { type Settings, VSCodeServer } from '../../../scripts/vscode/server.ts';
import { artifact } from './artifacts.ts';
import { Workbench } from './workbench.ts';

const PATIENCE_MS = 30_000;

/** Its label in VS Code's list, and the class that its window then has. */
const themes = {
  dark: ['Dark Modern', 'vs-dark'],
  light: ['Light Modern', 'vs'],
  'high-contrast': ['Dark High Contrast', 'hc-black'],
} as const;

export type Theme = keyof typeof themes;

export interface PersonOptions {
  /** The packaged extension; none for a bare VS Code. */
  readonly vsix?: string;
  readonly settings?: Settings;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the person's disk is; given again, it is the same person again. A fresh one otherwise, gone at `leave`. */
  readonly state?: string;
}

export class Person {
  readonly name: string;
  /** The folder that their VS Code shows: an empty one in the beginning. */
  readonly folder: string;
  readonly server: VSCodeServer;
  readonly #state: string;
  readonly #ownsState: boolean;
  #browser: BrowserSession | undefined;
  #window: Workbench | undefined;

  private constructor(name: string, options: PersonOptions) {
    this.name = name;
    this.#ownsState = options.state === undefined;
    this.#state = options.state ?? mkdtempSync(join(tmpdir(), `cot-${name}-`));
    this.folder = join(this.#state, 'folder');
    mkdirSync(this.folder, { recursive: true });
    const { settings = {}, env = {} } = options;
    this.server = new VSCodeServer({ name, state: this.#state, settings, env });
  }

  /** Installs the extension, starts VS Code and opens a window. */
  static async arrive(name: string, options: PersonOptions = {}): Promise<Person> {
    const person = new Person(name, options);
    try {
      if (options.vsix !== undefined) await person.server.installExtension(options.vsix);
      await person.start();
      return person;
    } catch (error) {
      await person.leave();
      throw error;
    }
  }

  /** The first window. */
  get window(): Workbench {
    if (this.#window === undefined) throw new Error(`${this.name} has no window open.`);
    return this.#window;
  }

  /** Where the extension keeps its store. */
  get globalStorage(): string {
    return join(this.server.userFolder, 'globalStorage', 'coterie.coterie');
  }

  /** The whole of the person's disk. */
  get disk(): string {
    return this.#state;
  }

  get strayRequests(): readonly string[] {
    return this.#browser?.strayRequests ?? [];
  }

  /** Starts VS Code (again) and opens a window. */
  async start(): Promise<void> {
    await this.server.start();
    this.#browser ??= await openBrowser(join(this.#state, 'browser'));
    this.#window = await this.openWindow();
  }

  /** A further window, on the same folder or another. */
  async openWindow(folder = this.folder): Promise<Workbench> {
    if (this.#browser === undefined) throw new Error(`${this.name} has no browser open.`);
    const page = await this.#browser.context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${this.server.url}/?folder=${encodeURIComponent(folder)}`);
    const workbench = new Workbench(page);
    await workbench.ready();
    return workbench;
  }

  /** Closes VS Code as a person does; `start` opens it again on the same disk. */
  async stop(): Promise<void> {
    // Leaving the page is what tells VS Code that the window closed; a page that is just gone may yet come back.
    for (const page of this.#browser?.context.pages() ?? []) await page.goto('about:blank').catch(() => null);
    await this.server.stop();
    await this.#closeBrowser();
  }

  /** Power cut. */
  async kill(): Promise<void> {
    await this.server.kill();
    await this.#closeBrowser();
  }

  /** Reloads the window, as `Developer: Reload Window` does: the extension host starts anew. */
  async reload(): Promise<void> {
    await this.window.page.reload();
    await this.window.ready();
  }

  /** The person is done: everything of theirs ends, and a disk that was made for them is gone. */
  async leave(): Promise<void> {
    await this.server.kill();
    await this.#closeBrowser();
    copyFileSync(this.server.log, artifact(`${this.name}-server.log`));
    await this.server.dispose();
    if (this.#ownsState) rmSync(this.#state, { recursive: true, force: true });
  }

  async theme(theme: Theme): Promise<void> {
    const [label, className] = themes[theme];
    await this.window.command('Preferences: Color Theme');
    // The list draws only what is on screen: wait for it, then narrow it down.
    await this.window.choice(/Dark|Light/).waitFor();
    await this.window.inputBox.fill(label);
    await this.window.choose(label);
    await this.window.page.locator(`.monaco-workbench.${className}`).waitFor();
  }

  /** A picture for the artifacts folder; returns its path. */
  async shot(title: string, window: Workbench = this.window): Promise<string> {
    const path = artifact(`${title}.png`);
    // Colours that are still on their way to a new theme are taken as arrived.
    await window.page.screenshot({ path, animations: 'disabled' });
    return path;
  }

  /** Of every window of theirs. */
  async shots(title: string): Promise<void> {
    for (const [index, page] of (this.#browser?.context.pages() ?? []).entries()) {
      if (!page.url().startsWith(this.server.url)) continue;
      await page.screenshot({ path: artifact(`${title}-${index}.png`), animations: 'disabled' });
    }
  }

  async #closeBrowser(): Promise<void> {
    const browser = this.#browser;
    this.#browser = undefined;
    this.#window = undefined;
    await browser?.context.close();
  }
}

/** For `afterEach`: where the test that has just run failed, a picture of every window of every person. */
export async function pictureFailure(
  test: Mocha.Test | undefined,
  people: readonly (Person | undefined)[],
): Promise<void> {
  if (test?.state !== 'failed') return;
  const title = test
    .fullTitle()
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .slice(0, 80);
  for (const person of people) await person?.shots(`failure-${title}-${person.name}`).catch(() => undefined);
}
