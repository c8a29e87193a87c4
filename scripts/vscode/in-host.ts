// Runs a mocha suite inside the extension host of a real VS Code.
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from './browser.ts';
import { VSCodeServer } from './server.ts';

export interface InHostRun {
  /** Folder of the extension under development. */
  readonly extension: string;
  /** The module whose `run()` VS Code calls; it fails the run by rejecting. */
  readonly tests: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout_s?: number;
  /** Where a picture of the end is kept. */
  readonly screenshot: string;
}

/** The exit code of the run: 0, or 1 if `run()` rejected, or 'timeout'. */
export async function runInHost({
  extension,
  tests,
  env = {},
  timeout_s = 180,
  screenshot,
}: InHostRun): Promise<number | 'timeout'> {
  const state = mkdtempSync(join(tmpdir(), 'cot-host-'));
  const folder = join(state, 'folder');
  mkdirSync(folder);
  // Without this option VS Code ignores the payload below, silently. It also hides toasts, so a person's steps run without it.
  const server = new VSCodeServer({ name: 'in-host', state, args: ['--vscode-option', 'enable-smoke-test-driver'] });
  await server.start();
  const { context } = await openBrowser(join(state, 'browser'));
  try {
    const page = await context.newPage();
    const ended = new Promise<number>((resolve) => {
      void page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
    });
    await page.exposeFunction('codeAutomationLog', () => undefined);
    const remote = (path: string) => `vscode-remote://${new URL(server.url).host}${path}`;
    const payload = [
      ['extensionDevelopmentPath', remote(extension)],
      ['extensionTestsPath', remote(tests)],
      ['extensionEnvironment', JSON.stringify(env)],
      ['skipWelcome', 'true'],
    ];
    await page.goto(`${server.url}/?folder=${folder}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const result = await Promise.race([ended, sleep(timeout_s * 1000, 'timeout' as const, { ref: false })]);
    await page.screenshot({ path: screenshot });
    return result;
  } finally {
    await context.close();
    await server.dispose();
    rmSync(state, { recursive: true, force: true });
  }
}
