// Pictures of what a story comes to seldom: rows, lists, questions and sentences, of one real VS Code whose service is a fake.
// `npm run package && npm run pictures [-- ALBUM…]`; they lie in out/e2e.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/lib/project.mjs';
import { elect } from '../../src/rpc/election.ts';
import { ApiServer } from '../../src/rpc/server.ts';
import { buildOf } from '../../src/rpc/window.ts';
import { Person, type Theme } from './driver/person.ts';
import { vsix } from './driver/vsix.ts';
import { goings, lists } from './pictures/lists.ts';
import { MadeUp } from './pictures/made-up.ts';
import { beginnings, devices, joins } from './pictures/people.ts';
import { chat, relay, rows } from './pictures/rows.ts';
import { Scene } from './pictures/scene.ts';
import { done, failures, notices } from './pictures/told.ts';

const albums = { rows, chat, lists, goings, joins, devices, done, notices, failures, relay, beginnings };
const THEMES = ['dark', 'light', 'high-contrast'] as const;

const { values, positionals } = parseArgs({ options: { theme: { type: 'string' } }, allowPositionals: true });
const wanted = Object.entries(albums).filter(([name]) => positionals.length === 0 || positionals.includes(name));
const themes = THEMES.filter((theme) => (values.theme?.split(',') ?? ['dark', 'light']).includes(theme));

const made = await MadeUp.furnished();
const state = mkdtempSync(join(tmpdir(), 'cot-pictures-'));
const folder = join(state, 'data', 'User', 'globalStorage', 'coterie.coterie');
// A window without a store starts nothing.
mkdirSync(join(folder, 'store'), { recursive: true });
const server = new ApiServer({ build: await buildOf(join(root, 'dist', 'worker.cjs')) });
const listener = await elect(folder, (guest) => server.accept(guest));
server.open({ api: made.api, apiFor: () => made.api, events: made.service.events });

const settings = {
  'coterie.displayName': 'Alice',
  'workbench.quickOpen.closeOnFocusLost': false,
};
const person = await Person.arrive('pictures', { vsix, settings, state });
try {
  if (person.globalStorage !== folder) throw new Error(`The store is in ${person.globalStorage}.`);
  await begin();
  for (const theme of themes) await show(theme);
} catch (error) {
  await person.shots('pictures-failed');
  throw error;
} finally {
  await person.leave();
  server.close();
  await listener?.close();
  rmSync(state, { recursive: true, force: true });
}

/** A7: said once, of whatever is without a manager. */
async function begin(): Promise<void> {
  const scene = new Scene(person, made, 'dark');
  // So high that three long toasts have room: VS Code gives them six tenths of it.
  await scene.window.page.setViewportSize({ width: 1280, height: 1100 });
  await scene.window.showSideBar('Coterie');
  await scene.window.treeRow('Apollo').waitFor();
  await scene.window.toast('No manager is left').waitFor();
  await scene.shot('notice-no-manager');
  await scene.clear();
}

async function show(theme: Theme): Promise<void> {
  // It begins in the dark.
  if (theme !== 'dark') await person.theme(theme);
  const scene = new Scene(person, made, theme);
  for (const [, album] of wanted) await album(scene);
}
