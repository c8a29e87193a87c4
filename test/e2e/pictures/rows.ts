/** Rows of the tree, and what stands under the pointer. */
import { join } from './made-up.ts';
import type { Scene } from './scene.ts';

export async function rows(scene: Scene): Promise<void> {
  const { window } = scene;
  for (const row of ['Members', /^Bob/, /^Carol/, /^Dora/, /^Eve/, /^Frank/]) await window.expand(row);
  await scene.shot('tree');
  await hovers(scene, [
    ['Gemini', 'no-manager'],
    [/^Apollo/, 'divergence'],
    [/^Bob/, 'member'],
    [/^old desk/, 'absent'],
    [/^tower/, 'dropped'],
    [/^travel/, 'frozen'],
  ]);
  await window.collapse(/^Apollo/);
  await window.expand(/^Files/);
  await scene.shot('tree-closed');
  await hovers(scene, [
    [/^Kosmos/, 'overtaken'],
    [/^Salyut/, 'let-in-vain'],
    [/^Shuttle/, 'back'],
    [/^launch film/, 'not-here'],
  ]);
  await comings(scene);
  await window.collapse('Members');
  await window.expand(/^Apollo/);
  await window.treeRow('Plans').waitFor();
  await window.expand('Members');
}

/** Workspaces that come, and one that is deleted. */
async function comings(scene: Scene): Promise<void> {
  const { window, made } = scene;
  const { answers, states, copies } = made;
  const before = { ...copies };
  const { closed } = answers;
  states['Apollo'] = { state: 'closed' };
  copies['Gemini'] = { others: 6, inSync: 2, relayed: 3, missingChunks: 90, missingBytes: 734_003_200 };
  delete answers.closed;
  made.service.fakeJoins.push(
    join('Mir', {}),
    join('Tiangong', { reason: 'takenOut' }),
    join('Columbus', { state: 'waiting' }),
    join('Unity', { state: 'copying', doneBytes: 3e6, totalBytes: 1.2e9 }),
    join('Zarya', { state: 'copying', own: true, doneBytes: 3e6 }),
  );
  made.service.requests.push({
    ...{ id: 'r', workspace: made.gemini, name: 'Grace', account: 'cc'.repeat(32), role: 'participant' },
    ...{ safetyNumber: '12345 67890 12345 67890' },
  });
  made.changed();
  await window.treeRow('Mir').waitFor();
  await window.expand('Members');
  await window.treeRow('Grace').waitFor();
  await scene.shot('tree-comings');
  await hovers(scene, [
    ['Gemini', 'copying'],
    ['Apollo', 'deleted'],
    ['Tiangong', 'taken-out'],
    ['Grace', 'request'],
    ['Columbus', 'waiting'],
  ]);
  await window.rowButton('Apollo', 'Remove from List');
  await scene.dialog('forget-deleted-confirm');
  made.service.requests.length = 0;
  made.service.fakeJoins.length = 0;
  Object.assign(answers, { closed });
  delete states['Apollo'];
  Object.assign(copies, before);
  made.changed();
  await window.treeRow('Mercury').waitFor();
}

async function hovers(scene: Scene, of: readonly (readonly [string | RegExp, string])[]): Promise<void> {
  for (const [row, title] of of) {
    await scene.window.hover(row);
    await scene.shot(`hover-${title}`);
    await scene.window.hoverNothing();
  }
}

/** The status bar's word of the relay, whatever it is. */
export async function relay(scene: Scene): Promise<void> {
  const { window, made } = scene;
  const { emitter } = made.service;
  for (const reason of ['unreachable', 'wrongKey', 'refused', 'badAddress'] as const) {
    emitter.fire({ type: 'relay', relay: { state: 'failed', reason } });
    await window.hoverStatus('Coterie');
    await scene.shot(`relay-${reason}`);
    await window.hoverNothing();
  }
  emitter.fire({ type: 'relay', relay: { state: 'connected' } });
  await window.command('Coterie: Show Relay Status');
  await scene.shot('relay-status');
  await scene.clear();
}

export async function chat(scene: Scene): Promise<void> {
  const { window } = scene;
  await window.treeRow(/^Chat/).click();
  await window.panel().locator('.post .body', { hasText: 'engine.c' }).waitFor();
  await scene.shot('chat');
  await window.closeEditors();
}
