// Alice's and Bob's VS Code for `npm start`: the desktop one where there is one, else code-server in whichever browser one likes.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../lib/run.mjs';
import { type Settings, VSCodeServer } from '../vscode/server.ts';

export interface PersonSetup {
  readonly name: string;
  /** All that is theirs, kept from one start to the next. */
  readonly state: string;
  readonly vsix: string;
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string>>;
}

export interface OpenVSCode {
  /** What to tell the person who looks on. */
  readonly where: string;
  readonly close: () => Promise<void>;
}

/** Desktop VS Code needs a screen; `COTERIE_CODE=server` asks for code-server all the same. */
export function hasDesktopVSCode(): boolean {
  if (process.env['COTERIE_CODE'] === 'server') return false;
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && (process.getuid?.() === 0 || (DISPLAY ?? WAYLAND_DISPLAY) === undefined))
    return false;
  return spawnSync('code', ['--version'], { shell: process.platform === 'win32' }).status === 0;
}

export function openVSCode(person: PersonSetup): Promise<OpenVSCode> {
  return hasDesktopVSCode() ? openDesktop(person) : openServer(person);
}

async function openServer({ name, state, vsix, settings, env }: PersonSetup): Promise<OpenVSCode> {
  const server = new VSCodeServer({ name, state, settings, env });
  await server.installExtension(vsix);
  await server.start();
  return { where: `${server.url}/?folder=${encodeURIComponent(folderOf(state, name))}`, close: () => server.dispose() };
}

async function openDesktop({ name, state, vsix, settings, env }: PersonSetup): Promise<OpenVSCode> {
  const data = join(state, 'data');
  const own = ['--user-data-dir', data, '--extensions-dir', join(state, 'ext')];
  mkdirSync(join(data, 'User'), { recursive: true });
  const settingsFile = join(data, 'User', 'settings.json');
  if (!existsSync(settingsFile))
    writeFileSync(
      settingsFile,
      JSON.stringify({ ...settings, 'window.title': `${name} - \${activeEditorShort}` }, null, 2),
    );
  await mustRun('code', [...own, '--install-extension', vsix, '--force'], { capture: true });
  const args = [...own, '--new-window', '--disable-workspace-trust', folderOf(state, name)];
  spawn('code', args, { env: { ...process.env, ...env }, stdio: 'ignore', shell: process.platform === 'win32' });
  return {
    where: 'the VS Code window that has just opened',
    close: async () => {
      // `code` only hands on to a program that outlives it: that one is known by its data folder, which nobody else's has.
      if (process.platform === 'win32') console.log(`Please close ${name}'s window.`);
      else spawnSync('pkill', ['-f', '--', `--user-data-dir[= ]${data}`]);
    },
  };
}

/** The folder that VS Code shows: a real one, as a person has one open beside the team's workspace. */
function folderOf(state: string, name: string): string {
  const folder = join(state, `${name}s-work`);
  mkdirSync(folder, { recursive: true });
  return folder;
}
