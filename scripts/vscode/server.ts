// One VS Code of one person: a server with its own settings, extensions and storage, opened in any browser.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup, mustRun } from '../lib/run.mjs';
import { codeServer } from './install.ts';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;

export type Settings = Readonly<Record<string, unknown>>;

export interface ServerOptions {
  /** Whose it is: names the log. */
  readonly name: string;
  /** Where all its state lives. A second server on the same folder is the same person again. */
  readonly state: string;
  readonly settings?: Settings;
  /** Added to the environment of the server, and so of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further options of code-server. */
  readonly args?: readonly string[];
}

// No AI process, no update or gallery traffic, no auto-save (VS Code in a browser saves after a second), a plain layout.
const quietSettings: Settings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'files.autoSave': 'off',
  'files.simpleDialog.enable': true,
  'git.enabled': false,
  'remote.autoForwardPorts': false,
  'telemetry.telemetryLevel': 'off',
  'window.menuBarVisibility': 'compact',
  'workbench.colorTheme': 'Dark Modern',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
};

export class VSCodeServer {
  readonly name: string;
  readonly #options: ServerOptions;
  readonly #sockets: string;
  #port = 0;
  #child: ChildProcess | undefined;

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.#options = options;
    mkdirSync(this.userFolder, { recursive: true });
    mkdirSync(this.extensions, { recursive: true });
    // A socket's path may have 107 characters, so these do not go into the state folder.
    this.#sockets = mkdtempSync(join(tmpdir(), 'cot-'));
    this.changeSettings(options.settings ?? {});
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get log(): string {
    return this.#path('server.log');
  }

  /** The folder that holds settings.json and globalStorage. */
  get userFolder(): string {
    return this.#path('data/User');
  }

  /** Where its extensions are unpacked. */
  get extensions(): string {
    return this.#path('ext');
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Writes settings.json; a running VS Code takes it up at once. */
  changeSettings(settings: Settings): void {
    const file = join(this.userFolder, 'settings.json');
    const present = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Settings) : quietSettings;
    writeFileSync(file, JSON.stringify({ ...present, ...settings }, null, 2));
  }

  async installExtension(vsix: string): Promise<void> {
    const { node, args, env } = await this.#command('--install-extension', vsix, '--force');
    await mustRun(node, args, { env, capture: true, timeout_s: 120 });
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name}'s VS Code runs already.`);
    this.#port = await this.#ownPort();
    const { node, args, env } = await this.#command(...(this.#options.args ?? []));
    const log = openSync(this.log, 'a');
    // Detached: it leads a process group of its own, so one signal ends it, its extension hosts and its watchers.
    const child = spawn(node, args, { env, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    running.add(child);
    child.on('exit', () => {
      running.delete(child);
      if (this.#child === child) this.#child = undefined;
    });
    await this.#answers(child);
  }

  /** As a person ends it, when the windows are closed: the extension hosts get to finish what `deactivate` does. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const limit = Date.now() + STOP_LIMIT_MS;
    while (this.extensionHosts().length > 0 && Date.now() < limit) await sleep(100);
    await this.kill();
  }

  /** The processes of its windows' extension hosts: each window has its own. */
  extensionHosts(): readonly number[] {
    if (this.#child === undefined) return [];
    const found = spawnSync('pgrep', ['-g', String(this.#child.pid), '-f', 'type=extensionHost'], { encoding: 'utf8' });
    return found.stdout.split('\n').filter(Boolean).map(Number);
  }

  /** As a power cut ends it: nobody gets to say anything. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    killGroup(child, 'SIGKILL');
    while (child.exitCode === null && child.signalCode === null) await sleep(20);
    this.#child = undefined;
  }

  /** Ends it and leaves nothing outside the state folder. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#sockets, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#options.state, name);
  }

  /** The port is kept with the state: the browser files secrets under the address, port included. */
  async #ownPort(): Promise<number> {
    const file = this.#path('port');
    if (existsSync(file)) return Number(readFileSync(file, 'utf8'));
    const port = await freePort();
    writeFileSync(file, String(port));
    return port;
  }

  async #command(...more: readonly string[]): Promise<{ node: string; args: string[]; env: Record<string, string> }> {
    const { node, entry } = await codeServer();
    // Without a config file of its own code-server writes, and reads, one in the user's home.
    writeFileSync(this.#path('config.yaml'), `bind-addr: 127.0.0.1:${this.#port}\nauth: none\ncert: false\n`);
    const args = [
      ...[entry, '--config', this.#path('config.yaml'), '--auth', 'none', '--bind-addr', `127.0.0.1:${this.#port}`],
      ...['--user-data-dir', this.#path('data'), '--extensions-dir', this.extensions],
      ...['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'],
      ...['--disable-getting-started-override', '--ignore-last-opened'],
      ...more,
    ];
    const env = {
      ...(process.env as Record<string, string>),
      ...this.#options.env,
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      XDG_DATA_HOME: this.#path('xdg'),
      XDG_CONFIG_HOME: this.#path('xdg'),
      XDG_RUNTIME_DIR: this.#sockets,
      PATH: `${dirname(node)}${delimiter}${process.env['PATH']}`,
    };
    return { node, args, env };
  }

  async #answers(child: ChildProcess): Promise<void> {
    const limit = Date.now() + START_LIMIT_MS;
    while (Date.now() < limit && child.exitCode === null) {
      const health = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (health?.ok === true) return;
      await sleep(50);
    }
    await this.kill();
    throw new Error(`${this.name}'s VS Code did not start: see ${this.log}`);
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => killGroup(child)));

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
