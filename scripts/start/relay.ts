// The relay that `npm start` brings up: on loopback, with its data beside the people's.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/project.mjs';

const START_LIMIT_MS = 20_000;

export interface Relay {
  /** What goes into the setting `coterie.relay`. */
  readonly address: string;
  readonly process: ChildProcess;
}

/** Starts it and waits until it says which address to put into the setting: a line with `coterie-relay:…`. */
export async function startRelay(state: string): Promise<Relay> {
  const program = join(root, 'dist', 'relay.cjs');
  if (!existsSync(program)) throw new Error('The relay is not built: dist/relay.cjs is missing.');
  mkdirSync(state, { recursive: true });
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, '--data', state, '--host', '127.0.0.1'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`The relay did not come up. It said:\n${said}`)), START_LIMIT_MS);
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      const found = /coterie-relay:\S+/.exec(said)?.[0];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`The relay ended (${code ?? 'killed'}). It said:\n${said}`)));
  });
  return { address, process: child };
}
