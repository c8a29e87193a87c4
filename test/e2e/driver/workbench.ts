// One VS Code window, in a person's words. Every selector of VS Code's own pages is in this file.
import { readdirSync } from 'node:fs';
import type { FrameLocator, Locator, Page } from 'playwright-core';

/** Whose webviews are ours: publisher.name of the extension. */
const EXTENSION = 'coterie.coterie';

const MENU_TRIES = 5;
const MENU_PATIENCE_MS = 3_000;

function isSoonThere(item: Locator): Promise<boolean> {
  return item.waitFor({ timeout: MENU_PATIENCE_MS }).then(
    () => true,
    () => false,
  );
}

export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Waits until the window can be worked in. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .activitybar').waitFor();
    // Among the last things to come when a window starts; a command run before would wait, and its toasts may be lost.
    await this.page.locator('.statusbar [id="status.problems"]').waitFor();
  }

  // ---- the palette and what it asks ------------------------------------------------------------------------------

  /** Runs a command from the palette; `title` as the palette shows it, e.g. "Coterie: Invite…". */
  async command(title: string): Promise<void> {
    // By its whole name: the palette may put a longer one first, and for a moment shows the rows of what was typed before.
    const name = this.page.locator('.label-name', { hasText: new RegExp(`^${escaped(title)}$`) });
    const row = this.page.locator('.quick-input-widget:visible .monaco-list-row', { has: name }).first();
    // A palette closes by itself when its window loses the keyboard, as one does that is opening still; and what it lists
    // it reads when it opens: of a window that starts, perhaps not yet what its extensions allow.
    for (let again = 0; again < MENU_TRIES; again++) {
      if (await this.#paletteShows(`>${title}`, row)) return row.click();
      await this.page.keyboard.press('Escape');
    }
    throw new Error(`the palette does not show ${title}`);
  }

  async #paletteShows(typed: string, row: Locator): Promise<boolean> {
    // Of two windows of a person only the one in front has the keyboard.
    await this.page.bringToFront();
    await this.#quickInputClosed();
    await this.page.keyboard.press('F1');
    if (!(await isSoonThere(this.inputBox))) return false;
    const isTyped = await this.inputBox.fill(typed, { timeout: MENU_PATIENCE_MS }).then(
      () => true,
      () => false, // closed just now
    );
    return isTyped && isSoonThere(row);
  }

  /** The box of the palette, a quick pick or an input box: whichever is open. */
  get inputBox(): Locator {
    return this.page.locator('.quick-input-widget:visible input:not([type=checkbox])').first();
  }

  /** The input box's title, prompt and error, as shown. */
  get inputMessage(): Locator {
    return this.page.locator('.quick-input-widget:visible .quick-input-message');
  }

  get inputTitle(): Locator {
    return this.page.locator('.quick-input-widget:visible .quick-input-title');
  }

  /** A row of the open quick pick. */
  choice(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: text }).first();
  }

  /** Types an answer into an input box (also into the simple file dialog) and accepts it. */
  async answer(text: string): Promise<void> {
    await this.inputBox.waitFor();
    await this.inputBox.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Chooses a row of a quick pick. */
  async choose(text: string | RegExp): Promise<void> {
    await this.choice(text).click();
  }

  /** Ticks rows of a quick pick that takes several, and accepts. */
  async chooseAll(texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.choice(text).click();
    await this.#inputButton.click();
  }

  /** Names a folder of the server's disk in the simple file dialog. */
  async chooseFolder(folder: string): Promise<void> {
    const path = `${folder}/`;
    // It begins with a folder of its own, and writes that over what is typed before it lists it. Its row by its whole name:
    // the palette, which is open for a moment still, offers commands that end in three dots.
    await this.#dialogRow('..').waitFor();
    await this.inputBox.fill(path);
    // It looks up what one types, and until then its button takes what was there before: wait until it shows the folder's content.
    await this.#dialogShows(folder);
    const named = await this.inputBox.inputValue();
    if (named !== path) throw new Error(`the file dialog would take ${named} for ${path}`);
    await this.#acceptPath();
  }

  #dialogRow(name: string): Locator {
    const row = this.page.locator('.quick-input-widget:visible .monaco-list-row .label-name');
    return row.filter({ hasText: new RegExp(`^${escaped(name)}$`) });
  }

  /** While the dialog looks something up it takes no OK, and says nothing of it. */
  async #acceptPath(): Promise<void> {
    const dialog = this.page.locator('.quick-input-widget');
    for (let tries = 0; tries < 4; tries++) {
      await this.#inputButton.click({ timeout: 5_000 }).catch(() => undefined); // closed just now
      const closed = dialog.waitFor({ state: 'hidden', timeout: 5_000 });
      if (
        await closed.then(
          () => true,
          () => false,
        )
      )
        return;
    }
    await this.#quickInputClosed();
  }

  async #dialogShows(folder: string): Promise<void> {
    const [entry] = readdirSync(folder, { withFileTypes: true }).sort(
      (a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || a.name.localeCompare(b.name),
    );
    const rows = this.page.locator('.quick-input-widget:visible .monaco-list-row');
    if (entry === undefined) await rows.nth(1).waitFor({ state: 'detached' });
    else await this.#dialogRow(entry.name).waitFor();
  }

  async escape(): Promise<void> {
    await this.page.keyboard.press('Escape');
  }

  /** Leaves what the palette asks. */
  async closeInput(): Promise<void> {
    await this.escape();
    await this.#quickInputClosed();
  }

  /** The OK of the open quick pick. */
  get #inputButton(): Locator {
    return this.page.locator('.quick-input-widget:visible .quick-input-action .monaco-button').first();
  }

  async #quickInputClosed(): Promise<void> {
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  // ---- activity bar, trees, status bar ---------------------------------------------------------------------------

  /** An icon of the activity bar. With a badge its label goes on: "Coterie - 3 unread". */
  activityIcon(title: string): Locator {
    const label = this.page.locator(`.action-label[aria-label^="${title}"]`);
    return this.page.locator('.activitybar .action-item', { has: label });
  }

  /** The number on an icon of the activity bar. */
  activityBadge(title: string): Locator {
    return this.activityIcon(title).locator('.badge-content');
  }

  /** Shows the view container, whichever was there before. */
  async showSideBar(title: string): Promise<void> {
    const icon = this.activityIcon(title);
    await icon.waitFor();
    const isShown = /\bchecked\b/.test((await icon.getAttribute('class')) ?? '');
    if (!isShown) await icon.click();
    await this.page.locator('.sidebar').waitFor();
  }

  treeRow(text: string | RegExp): Locator {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: text }).first();
  }

  /** All rows of the trees in the side bar that are on screen, as text. */
  async treeTexts(): Promise<string[]> {
    return this.page.locator('.sidebar .monaco-list-row').allInnerTexts();
  }

  async expand(text: string | RegExp): Promise<void> {
    const row = this.treeRow(text);
    await row.waitFor();
    const open = this.page.locator('.sidebar .monaco-list-row[aria-expanded="true"]', { hasText: text }).first();
    // A tree that is drawn anew at that moment does not hear the click.
    for (let again = 0; again < MENU_TRIES && !(await open.isVisible()); again++) {
      if ((await row.getAttribute('aria-expanded')) !== 'false') return;
      await row.locator('.monaco-tl-twistie').click();
      await isSoonThere(open);
    }
  }

  async collapse(text: string | RegExp): Promise<void> {
    const row = this.treeRow(text);
    const open = this.page.locator('.sidebar .monaco-list-row[aria-expanded="true"]', { hasText: text }).first();
    for (let again = 0; again < MENU_TRIES && (await open.isVisible()); again++) {
      await row.locator('.monaco-tl-twistie').click();
      await open.waitFor({ state: 'hidden', timeout: MENU_PATIENCE_MS }).catch(() => undefined);
    }
  }

  /** What stands under the pointer there, shown. */
  async hover(row: string | RegExp): Promise<void> {
    await this.#hoverOf(this.treeRow(row));
  }

  async hoverStatus(text: string | RegExp): Promise<void> {
    await this.#hoverOf(this.statusItem(text));
  }

  async #hoverOf(place: Locator): Promise<void> {
    const shown = this.page.locator('.monaco-hover:visible, .workbench-hover:visible').first();
    // What is drawn anew at that moment does not hear of the pointer.
    for (let again = 0; again < MENU_TRIES; again++) {
      await place.hover();
      if (await isSoonThere(shown)) return;
      await this.hoverNothing();
    }
    throw new Error('nothing is shown under the pointer');
  }

  async hoverNothing(): Promise<void> {
    await this.page.mouse.move(900, 300);
    await this.page.locator('.workbench-hover:visible').waitFor({ state: 'hidden' });
  }

  /** A button that a row of a tree shows when the pointer is over it. */
  async rowButton(row: string | RegExp, label: string): Promise<void> {
    await this.treeRow(row).hover();
    await this.treeRow(row).locator(`.actions .action-label[aria-label^="${label}"]`).click();
  }

  /** An entry of a row's context menu. */
  async rowMenu(row: string | RegExp, entry: string): Promise<void> {
    const item = this.page.locator('.monaco-menu .action-menu-item', { hasText: entry }).first();
    await this.treeRow(row).click({ button: 'right' });
    // A tree that is drawn anew at that moment closes the menu again.
    for (let again = 0; again < MENU_TRIES && !(await isSoonThere(item)); again++) {
      await this.page.keyboard.press('Escape');
      await this.treeRow(row).click({ button: 'right' });
    }
    // A menu that has just opened takes no clicks, so that the click that opened it does not choose; it does take Enter.
    await item.hover();
    await this.page.keyboard.press('Enter');
  }

  /** The text and the buttons of a view that has nothing to show yet. */
  get welcome(): Locator {
    return this.page.locator('.sidebar .welcome-view-content');
  }

  async welcomeButton(text: string): Promise<void> {
    await this.welcome.locator('.monaco-button', { hasText: text }).first().click();
  }

  statusItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar .statusbar-item', { hasText: text }).first();
  }

  // ---- editors ---------------------------------------------------------------------------------------------------

  /** An open tab by file name; `.dirty` in `state` for one with unsaved text. */
  tab(name: string, state: '' | '.dirty' | ':not(.dirty)' | '.active' = ''): Locator {
    return this.page.locator(`.tab[data-resource-name="${name}"]${state}`).first();
  }

  get editor(): Locator {
    return this.page.locator('.editor-instance .monaco-editor').first();
  }

  /** The visible lines of the active editor. */
  async editorText(): Promise<string> {
    const text = await this.page.locator('.editor-instance .view-lines').first().innerText();
    return text.replace(/\u00a0/g, ' ');
  }

  /** Types at the end of the active editor. */
  async typeInEditor(text: string): Promise<void> {
    await this.editor.click();
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.type(text);
  }

  async save(): Promise<void> {
    await this.page.keyboard.press('Control+S');
  }

  async closeEditors(): Promise<void> {
    await this.command('View: Close All Editors');
  }

  // ---- notifications and dialogs ---------------------------------------------------------------------------------

  get toasts(): Locator {
    return this.page.locator('.notifications-toasts .notification-toast');
  }

  toast(text: string | RegExp): Locator {
    return this.toasts.filter({ hasText: text }).first();
  }

  /** Waits until something is told: a toast that one has missed stands in the list of notifications. */
  async told(text: string | RegExp): Promise<void> {
    if (await isSoonThere(this.toast(text))) return;
    await this.command('Notifications: Show Notifications');
    await this.page.locator('.notifications-center .notification-list-item', { hasText: text }).first().waitFor();
  }

  async toastButton(text: string | RegExp, button: string): Promise<void> {
    await this.toast(text).locator('.monaco-button', { hasText: button }).first().click();
  }

  async clearToasts(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
  }

  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  async dialogButton(text: string): Promise<void> {
    await this.dialog.locator('.monaco-button', { hasText: text }).first().click();
  }

  // ---- webviews --------------------------------------------------------------------------------------------------

  /** The page of an open webview panel (an editor tab) of the extension. A webview is an iframe in an iframe. */
  panel(extension = EXTENSION): FrameLocator {
    return this.#webview(extension, ':not([src*="purpose=webviewView"])');
  }

  /** The page of a webview that stands in the side bar. */
  view(extension = EXTENSION): FrameLocator {
    return this.#webview(extension, '[src*="purpose=webviewView"]');
  }

  #webview(extension: string, kind: string): FrameLocator {
    return this.page
      .frameLocator(`iframe.webview.ready[src*="extensionId=${extension}"]${kind}`)
      .frameLocator('iframe#active-frame');
  }

  // ---- the rest --------------------------------------------------------------------------------------------------

  /** Opens a link of the extension (`vscode://…`), as a click on it outside VS Code would. */
  async openLink(link: string): Promise<void> {
    // This build of VS Code answers to a scheme of its own.
    const own = link.replace(/^[a-z-]+:/, 'code-oss:');
    await this.command('Developer: Open URL');
    await this.page.locator('.quick-input-widget:visible', { hasNot: this.page.locator('.monaco-list-row') }).waitFor();
    await this.answer(own);
    await this.dialogButton('Open');
  }

  async clipboard(): Promise<string> {
    return this.page.evaluate<string>('navigator.clipboard.readText()');
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
