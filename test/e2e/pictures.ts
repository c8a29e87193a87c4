// Pictures of rows, lists and notices that a story comes to seldom: one real VS Code whose service is a fake, in dark and in light.
// `npm run package && npm run pictures`; they lie in out/e2e.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/lib/project.mjs';
import { elect } from '../../src/rpc/election.ts';
import { ApiServer } from '../../src/rpc/server.ts';
import { buildOf } from '../../src/rpc/window.ts';
import type { ClosedInfo, CoterieApi, MemberDeviceInfo, MemberInfo, WorkInfo } from '../../src/service/api.ts';
import { FakeService } from '../fakes/fake-service.ts';
import { Person, type Theme } from './driver/person.ts';
import { vsix } from './driver/vsix.ts';

const NOW = Date.now();
const DAY = 24 * 60 * 60_000;
const service = new FakeService();
let isRenewing = false;

const device = (name: string, more: Partial<MemberDeviceInfo> = {}): MemberDeviceInfo => ({
  ...{ device: Buffer.from(name).toString('hex').padEnd(64, '0'), name, self: false, online: false },
  ...{ standing: 'active', forked: false, mayTakeOut: true },
  ...more,
});
const member = (name: string, devices: readonly MemberDeviceInfo[], more: Partial<MemberInfo> = {}) =>
  ({ name, devices, presence: 'offline', ...more }) as const;
const work = (id: string, more: Partial<WorkInfo>): WorkInfo => ({
  ...{ id, kind: 'post', toolName: 'Chat', name: '', text: '', reason: 'notPermitted', time: NOW - DAY },
  ...more,
});

async function furnish(): Promise<{ readonly apollo: string; readonly gemini: string; readonly api: CoterieApi }> {
  const { api } = service;
  const apollo = await api.createWorkspace({ name: 'Apollo' });
  const plans = await api.addTool(apollo, 'files', 'Plans');
  await api.addTool(apollo, 'chat', 'Announcements for everybody who works on the second stage of the rocket');
  const absent = device('old desk', { absentSince: NOW - 30 * DAY });
  const forked = device('laptop', { forked: true });
  for (const one of [
    member('Bob', [device('notebook', { online: true }), absent], { presence: 'online' }),
    member('Carol', [forked]),
    member('Dora', [device('tower', { standing: 'dropped', by: 'Alice', mayTakeOut: false })]),
    member('Eve', [device('travel', { standing: 'frozen', by: 'Alice', mayTakeOut: false })], { role: 'guest' }),
    member('Frank', [device('one', { absentSince: NOW - 40 * DAY }), device('two', { forked: true })]),
  ])
    service.addMember(apollo, one.name, one);
  await api.setPermission(apollo, 'files', 'delete', 'participant', true);
  await api.setPermission(apollo, { tool: plans }, 'add', 'guest', true);
  await api.setPermission(apollo, { tool: plans }, 'edit', 'participant', false);
  await api.setPermission(apollo, { tool: plans }, 'deleteOwn', 'participant', false);
  await api.setPermission(apollo, { tool: plans }, 'deleteOwn', 'participant', null);
  const gemini = await api.createWorkspace({ name: 'Gemini' });
  service.workspace(gemini).role = 'participant';
  service.workspace(gemini).members.splice(0, 1, { ...service.workspace(gemini).members[0]!, role: 'participant' });
  service.addMember(gemini, 'Bob', { presence: 'idle' });
  const closed: readonly ClosedInfo[] = (
    [
      ['Mercury', 'removed', {}],
      ['Skylab', 'dropped', { work: [work('1', { text: 'unsent' })] }],
      ['Soyuz', 'dropped', { isAsking: true }],
      ['Vostok', 'frozen', { work: [work('1', { text: 'unsent' })] }],
      ['Voskhod', 'device', {}],
      ['Shuttle', 'dropped', { isBack: true, work: [work('1', {}), work('2', {})] }],
    ] as const
  ).map(([name, how, more], n) => ({
    ...{ id: `${n}`.repeat(64), name, how, by: 'Alice', at: NOW - DAY, isBack: false, isAsking: false, work: [] },
    ...more,
  }));
  service.offers.push({
    ...{ id: 'o', name: 'Skylab', newName: 'Skylab (continued)', by: 'Bob', role: 'participant' },
    ...{ safetyNumber: '12345 67890', expires: NOW + 30 * DAY },
  });
  const notAccepted = [
    work('1', { text: 'We start at noon.\nNot before.', reason: 'cutOff' }),
    work('2', { kind: 'file', toolName: 'Plans', name: 'second-stage.md' }),
    work('3', { text: 'x'.repeat(300), reason: 'unknownTool' }),
    work('4', { kind: 'file', toolName: 'Files', name: 'engine.c', reason: 'noTarget' }),
    work('5', { kind: 'file', toolName: 'Files', name: '', reason: 'malformed' }),
    work('6', { text: '', reason: 'left' }),
    work('7', { text: 'Written on the train', reason: 'apart' }),
    work('8', { kind: 'file', toolName: 'Plans', name: 'second-stage.md', reason: 'apart' }),
  ];
  const shown: CoterieApi = new Proxy(api, {
    get: (target, name: keyof CoterieApi) => {
      if (name === 'closed') return async () => closed;
      if (name === 'notAccepted') return async () => notAccepted;
      if (name === 'absentDevices')
        return async () =>
          (await api.workspaces())[0]!.members.flatMap(({ account, name: of, devices }) =>
            devices.filter((one) => one.absentSince).map((one) => ({ ...one, account, member: of })),
          );
      if (name === 'workspaces')
        return async () => {
          const [first, second] = await api.workspaces();
          return [
            { ...first!, sync: { ...first!.sync, inSync: 4, differing: ['Bob'], newer: ['Carol'] } },
            { ...second!, sync: { ...second!.sync, outOfStep: true, renewing: isRenewing } },
          ];
        };
      return target[name];
    },
  });
  return { apollo, gemini, api: shown };
}

const { apollo, gemini, api } = await furnish();
const state = mkdtempSync(join(tmpdir(), 'cot-pictures-'));
const folder = join(state, 'data', 'User', 'globalStorage', 'coterie.coterie');
// A window without a store starts nothing.
mkdirSync(join(folder, 'store'), { recursive: true });
const server = new ApiServer({ build: await buildOf(join(root, 'dist', 'worker.cjs')) });
const listener = await elect(folder, (guest) => server.accept(guest));
server.open({ api, apiFor: () => api, events: service.events });

const settings = {
  'coterie.displayName': 'Alice',
  'workbench.quickOpen.closeOnFocusLost': false,
};
const person = await Person.arrive('pictures', { vsix, settings, state });
try {
  if (person.globalStorage !== folder) throw new Error(`The store is in ${person.globalStorage}.`);
  for (const theme of ['dark', 'light'] as const) await show(theme);
} catch (error) {
  await person.shots('pictures-failed');
  throw error;
} finally {
  await person.leave();
  server.close();
  await listener?.close();
  rmSync(state, { recursive: true, force: true });
}

async function show(theme: Theme): Promise<void> {
  const { window } = person;
  const shot = (title: string) => person.shot(`p-${title}-${theme}`);
  // It begins in the dark.
  if (theme !== 'dark') await person.theme(theme);
  await window.showSideBar('Coterie');
  await window.treeRow('Apollo').waitFor();
  if (theme === 'dark') {
    await window.toast('No manager is left').waitFor();
    await shot('notice-no-manager');
    await window.clearToasts();
  }
  for (const row of ['Members', /^Bob/, /^Carol/, /^Dora/, /^Eve/, /^Frank/]) await window.expand(row);
  await shot('tree');
  for (const [row, title] of [
    ['Gemini', 'no-manager'],
    [/^Apollo/, 'divergence'],
    [/^Bob/, 'member'],
    [/^old desk/, 'absent'],
    [/^tower/, 'dropped'],
    [/^travel/, 'frozen'],
  ] as const) {
    await window.treeRow(row).hover();
    await window.page
      .locator('.monaco-hover:visible, .workbench-hover:visible')
      .first()
      .waitFor()
      .catch(() => undefined);
    await shot(`hover-${title}`);
    await window.page.mouse.move(900, 300);
    await window.page
      .locator('.workbench-hover:visible')
      .waitFor({ state: 'hidden' })
      .catch(() => undefined);
  }

  await window.command('Coterie: Show What Was Not Accepted…');
  await window.choose(/^Apollo/);
  await window.choice('Save All in a Folder').waitFor();
  await shot('not-accepted');
  await window.escape();

  await window.command('Coterie: Drop Absent Devices…');
  await window.choice('Bob').waitFor();
  await shot('drop');
  await window.chooseAll(['Bob', 'Frank']);
  await window.dialog.waitFor();
  await shot('drop-confirm');
  await window.escape();

  await window.command('Coterie: Freeze Device…');
  await window.choice('Carol').waitFor();
  await shot('freeze');
  await window.choose('Carol');
  await window.dialog.waitFor();
  await shot('freeze-confirm');
  await window.escape();

  await window.command('Coterie: Permissions…');
  await window.choose(/^Apollo/);
  await window.choice('The Workspace Itself').waitFor();
  await shot('permissions');
  await window.choose(/Plans/);
  await window.choice('Participants').waitFor();
  await shot('permissions-tool');
  await window.choose('Participants');
  await window.choice('delete any file').waitFor();
  await shot('permissions-tool-participants');
  await window.escape();
  await window.choice('The Workspace Itself').waitFor();
  await window.choose(/^All Files Tools/);
  await window.choice('Participants').waitFor();
  await shot('permissions-kind');
  await window.escape();
  await window.choice('The Workspace Itself').waitFor();
  await window.escape();
  await window.rowMenu('Gemini', 'Permissions…');
  await window.choose(/^All Chats/);
  await window.choose('Participants');
  await window.choice('write messages').waitFor();
  await shot('permissions-to-look-at');
  await window.escape();
  await window.choice('The Workspace Itself').waitFor();
  await window.escape();
  await window.inputBox.waitFor({ state: 'hidden' });

  // L6: the row of a copy in doubt has the command; the row says so while it is under way.
  await window.rowMenu('Gemini', 'Fetch a Fresh Copy of a Workspace…');
  await window.dialog.waitFor();
  await shot('fresh-copy-confirm');
  await window.dialogButton('Fetch');
  await window.page.locator('.notifications-toasts .notification-toast').first().waitFor();
  isRenewing = true;
  service.emitter.fire({ type: 'workspaces' });
  await window.treeRow(/fetching a fresh copy/).waitFor();
  await shot('fresh-copy-asked');
  await window.clearToasts();
  isRenewing = false;
  service.emitter.fire({ type: 'workspaces' });

  const notices = [
    ['absent', { name: 'Apollo', members: 'Bob, Frank', count: '2' }],
    ['diverged', { name: 'Apollo', member: 'Bob' }],
    ['outOfStep', { name: 'Gemini' }],
    ['newerVersion', { name: 'Gemini', member: 'Carol' }],
    ['renewed', { name: 'Gemini', member: 'Bob' }],
    ['notRenewed', { name: 'Gemini', member: 'Bob' }],
    ['offerDeclined', { name: 'Gemini', member: 'Bob' }],
    ['fork', { member: 'Carol', name: 'Apollo', device: 'laptop' }],
    ['dropped', { name: 'Skylab', member: 'Alice' }],
    ['frozen', { name: 'Vostok', member: 'Alice' }],
    ['workWaits', { name: 'Shuttle', count: '2' }],
  ] as const;
  for (const [code, detail] of notices) {
    // The same is said once.
    const told = theme === 'dark' ? detail : { ...detail, name: 'Apollo in the light' };
    service.emitter.fire({ type: 'notice', code, workspace: code === 'outOfStep' ? gemini : apollo, detail: told });
    await window.page.locator('.notifications-toasts .notification-toast').first().waitFor();
    await shot(`notice-${code}`);
    await window.clearToasts();
    await window.page.locator('.notifications-toasts .notification-toast').first().waitFor({ state: 'detached' });
  }
}
