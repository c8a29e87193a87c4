/**
 * As much of `vscode` as notices, commands and the file system need, for tests beside VS Code: it records what the person would be shown, and whatever asks
 * is answered as when it is closed. Modules that import `vscode` are to be imported after this one, by `import()`; all of a process share it.
 */
import { registerHooks } from 'node:module';
import { Emitter } from '../../src/base/event.ts';

export interface Shown {
  /** What was called, of `vscode.window`, or to show a folder in the explorer. */
  readonly call: string;
  readonly text: string;
  readonly modal: boolean;
  /** Of a dialog, what stands below. */
  readonly detail?: string;
}

export interface FakeVscode {
  /** Since `clear`. */
  readonly shown: readonly Shown[];
  readonly settings: ReadonlyMap<string, unknown>;
  readonly commands: ReadonlyMap<string, (...args: readonly unknown[]) => unknown>;
  /** What is on the clipboard. */
  readonly copied: string;
  clear(): void;
  /** The next dialog with that button is answered by it. */
  answerNext(button: string): { readonly isAnswered: boolean };
  /** A tab comes to the front: a text's, a picture's, or none. */
  showTab(kind?: 'text' | 'custom', uri?: object): void;
}

const GLOBAL = 'coterieFakeVscode';

class Uri {
  readonly scheme: string;
  readonly fsPath: string;
  readonly authority: string;

  constructor(scheme: string, fsPath: string, authority = '') {
    this.scheme = scheme;
    this.fsPath = fsPath;
    this.authority = authority;
  }

  get path(): string {
    return this.fsPath;
  }

  toString(): string {
    return `${this.scheme}://${this.authority}${this.fsPath}`;
  }

  static from(parts: { readonly scheme: string; readonly path: string; readonly authority?: string }): Uri {
    return new Uri(parts.scheme, parts.path, parts.authority);
  }

  /** Without taking a path apart. */
  static parse(text: string): Uri {
    const { protocol, host, pathname } = new URL(text);
    return new Uri(protocol.slice(0, -1), pathname, host);
  }

  static file(path: string): Uri {
    return new Uri('file', path);
  }

  static joinPath({ scheme, fsPath }: Uri, ...parts: readonly string[]): Uri {
    return new Uri(scheme, [fsPath, ...parts].join('/'));
  }
}

class TabInputWebview {
  readonly viewType: string;

  constructor(viewType: string) {
    this.viewType = viewType;
  }
}

class UriTab {
  readonly uri: unknown;

  constructor(uri: unknown) {
    this.uri = uri;
  }
}

class FileSystemError extends Error {
  readonly code: string;
  readonly about: unknown;

  constructor(code: string, about: unknown) {
    super(code);
    this.code = code;
    this.about = about;
  }
}

/** `FileSystemError.FileNotFound(uri)` and the like. */
const codes = ['FileNotFound', 'FileExists', 'FileNotADirectory', 'FileIsADirectory', 'NoPermissions', 'Unavailable'];
for (const code of codes)
  Object.assign(FileSystemError, { [code]: (about: unknown) => new FileSystemError(code, about) });

interface Progress {
  report(value: { readonly message?: string }): void;
}

export const vscode = playVscode();

function playVscode(): FakeVscode & { readonly Uri: typeof Uri } {
  const shown: Shown[] = [];
  const settings = new Map<string, unknown>();
  const commands = new Map<string, (...args: readonly unknown[]) => unknown>();
  const clipboard = { text: '' };
  let answer: { readonly button: string; isAnswered: boolean } | undefined;
  const front: { activeTab?: { readonly input: object } } = {};
  const show = (call: string, text: string, modal = false): void => void shown.push({ call, text, modal });
  const message =
    (call: string) =>
    async (text: string, first?: unknown, ...buttons: readonly unknown[]): Promise<unknown> => {
      if (typeof first !== 'object' || first === null || !('modal' in first)) return show(call, text);
      const { detail = '' } = first as { readonly detail?: string };
      shown.push({ call, text, modal: true, detail });
      if (answer === undefined || answer.isAnswered || !buttons.includes(answer.button)) return undefined;
      answer.isAnswered = true;
      return answer.button;
    };
  const ask =
    (call: string) =>
    async (...args: readonly unknown[]): Promise<undefined> => {
      const options = args.at(-1) as { readonly title?: string } | undefined;
      show(call, options?.title ?? '', true);
    };
  const fake = {
    Uri,
    TabInputWebview,
    ThemeIcon: class {},
    ThemeColor: class {},
    TreeItem: class {
      readonly label: string;
      readonly collapsibleState: number;

      constructor(label: string, collapsibleState: number) {
        this.label = label;
        this.collapsibleState = collapsibleState;
      }
    },
    ViewColumn: { Active: -1 },
    TabInputText: class extends UriTab {},
    TabInputCustom: class extends UriTab {},
    TabInputNotebook: class extends UriTab {},
    TabInputTextDiff: class {
      readonly original: unknown;
      readonly modified: unknown;

      constructor(original: unknown, modified: unknown) {
        this.original = original;
        this.modified = modified;
      }
    },
    EventEmitter: Emitter,
    FileSystemError,
    FileChangeType: { Changed: 1, Created: 2, Deleted: 3 },
    FileType: { File: 1, Directory: 2 },
    FilePermission: { Readonly: 1 },
    TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
    QuickPickItemKind: { Separator: -1, Default: 0 },
    ProgressLocation: { Notification: 15 },
    ConfigurationTarget: { Global: 1 },
    ExtensionMode: { Production: 1, Development: 2, Test: 3 },
    UIKind: { Desktop: 1, Web: 2 },
    env: {
      uriScheme: 'vscode',
      uiKind: 1,
      remoteName: undefined as string | undefined,
      language: 'en',
      clipboard: { writeText: async (text: string) => void (clipboard.text = text) },
    },
    l10n: {
      // One pass, as VS Code's: what is filled in is not filled again.
      t: (text: string, ...args: readonly unknown[]): string => {
        const named = (typeof args[0] === 'object' ? args[0] : { ...args }) as Readonly<
          Record<string, string | number>
        >;
        return text.replace(/\{([^}]+)\}/g, (whole, key: string) => String(named[key] ?? whole));
      },
    },
    window: {
      showInformationMessage: message('showInformationMessage'),
      showWarningMessage: message('showWarningMessage'),
      showErrorMessage: message('showErrorMessage'),
      showInputBox: ask('showInputBox'),
      showQuickPick: ask('showQuickPick'),
      showOpenDialog: ask('showOpenDialog'),
      tabGroups: { activeTabGroup: front },
      activeTextEditor: undefined as object | undefined,
      state: { focused: true },
      onDidChangeWindowState: () => ({ dispose: () => undefined }),
      withProgress: async (
        { title }: { readonly title: string },
        work: (progress: Progress, token: object) => Promise<unknown>,
      ): Promise<unknown> => {
        show('withProgress', title);
        const progress = { report: ({ message: text = '' }) => show('withProgress', text) };
        return work(progress, { onCancellationRequested: () => ({ dispose: () => undefined }) });
      },
    },
    workspace: {
      textDocuments: [] as readonly object[],
      notebookDocuments: [] as readonly object[],
      updateWorkspaceFolders: (_start: number, _count: number, { name }: { readonly name: string }) =>
        show('updateWorkspaceFolders', name),
      getConfiguration: () => ({
        get: (name: string, otherwise: unknown) => settings.get(name) ?? otherwise,
        update: async (name: string, value: unknown) => void settings.set(name, value),
      }),
    },
    commands: {
      registerCommand: (name: string, run: (...args: readonly unknown[]) => unknown) => {
        commands.set(name, run);
        return { dispose: () => commands.delete(name) };
      },
      executeCommand: async (name: string, ...args: readonly unknown[]) => commands.get(name)?.(...args),
    },
  };
  Object.assign(globalThis, { [GLOBAL]: fake });
  const names = Object.keys(fake).map((name) => `export const ${name} = globalThis.${GLOBAL}.${name};`);
  const url = `data:text/javascript,${encodeURIComponent(names.join('\n'))}`;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'vscode' ? { url, shortCircuit: true } : next(specifier, context),
  });
  const showTab = (kind?: 'text' | 'custom', uri?: object): void => {
    // A picture is no text editor.
    fake.window.activeTextEditor = kind === 'text' ? { document: { uri } } : undefined;
    const tabs = { text: fake.TabInputText, custom: fake.TabInputCustom };
    if (kind === undefined) delete front.activeTab;
    else front.activeTab = { input: new tabs[kind](uri) };
  };
  return {
    ...{ Uri, shown, settings, commands, showTab },
    clear: () => {
      shown.splice(0);
      answer = undefined;
    },
    answerNext: (button) => (answer = { button, isAnswered: false }),
    get copied() {
      return clipboard.text;
    },
  };
}
