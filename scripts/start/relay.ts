// A relay of ours on loopback: for `npm start`, and for tests that take it away and bring it back.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/project.mjs';
import { freePort } from '../vscode/server.ts';

const START_LIMIT_MS = 20_000;

export class LocalRelay {
  /** Its data, and the port it keeps from one start to the next: the address must stay what people have in their settings. */
  readonly folder: string;
  #address = '';
  #process: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** What goes into the setting `coterie.relay`. */
  get address(): string {
    return this.#address;
  }

  /** Resolves when it listens. `onEnd` is told if it ends by itself. */
  async start(onEnd: () => void = () => undefined): Promise<void> {
    const program = join(root, 'dist', 'relay.cjs');
    if (!existsSync(program)) throw new Error('The relay is not built: dist/relay.cjs is missing.');
    const port = await this.#ownPort();
    const args = ['--disable-warning=ExperimentalWarning', program];
    const options = ['--data', this.folder, '--host', '127.0.0.1', '--port', String(port)];
    const child = spawn(process.execPath, [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    running.add(child);
    child.once('exit', () => {
      running.delete(child);
      if (this.#process === child) onEnd();
    });
    this.#address = await addressOf(child);
  }

  /** As an operator ends it. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** As a power cut ends it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async #ownPort(): Promise<number> {
    const file = join(this.folder, 'port');
    if (existsSync(file)) return Number(readFileSync(file, 'utf8'));
    const port = await freePort();
    writeFileSync(file, String(port));
    return port;
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Waits until it listens; by then it has said its address. */
function addressOf(relay: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const failed = (why: string) => reject(new Error(`The relay ${why}. It said:\n${said}`));
    const timer = setTimeout(() => failed('did not come up'), START_LIMIT_MS);
    const hear = (data: Buffer) => {
      said += data.toString();
      const address = /coterie-relay:\S+/.exec(said)?.[0];
      if (address === undefined || !said.includes('relay listening on')) return;
      clearTimeout(timer);
      resolve(address);
    };
    relay.stdout?.on('data', hear);
    relay.stderr?.on('data', hear);
    relay.once('exit', (code) => {
      clearTimeout(timer);
      failed(`ended (${code ?? 'killed'})`);
    });
  });
}
