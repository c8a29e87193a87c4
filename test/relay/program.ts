/** The relay as an operator starts it: another process, from source, on a free port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/relay/main.ts', import.meta.url));

export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  out = '';
  errors = '';

  /** `shell` stands before the command: limits of the shell hold for the program. */
  constructor(args: readonly string[], shell?: string) {
    const command = [process.execPath, MAIN, ...args];
    this.child =
      shell === undefined
        ? spawn(command[0]!, command.slice(1))
        : spawn('bash', ['-c', `${shell}; exec "$@"`, 'bash', ...command]);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves with the address once it listens. */
  async ready(): Promise<string> {
    while (!/^relay listening on /m.test(this.out)) {
      const more = await Promise.race([once(this.child.stdout!, 'data'), this.exited.then(() => undefined)]);
      if (!more) throw new Error(`the relay ended: ${this.errors}`);
    }
    return /coterie-relay:\S+/.exec(this.out)![0];
  }
}
