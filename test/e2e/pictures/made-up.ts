/** A service with what a story comes to seldom, and people who do not exist. */
import type {
  ClosedInfo,
  CoterieApi,
  JoinInfo,
  MemberDeviceInfo,
  MemberInfo,
  SyncInfo,
  WorkInfo,
  WorkspaceInfo,
} from '../../../src/service/api.ts';
import { FakeService } from '../../fakes/fake-service.ts';

export const NOW = Date.now();
export const DAY = 24 * 60 * 60_000;

/** What sentences may name. */
export const DETAIL: Readonly<Record<string, string>> = {
  ...{ name: 'Apollo', workspace: 'Apollo', member: 'Bob', members: 'Bob, Frank', count: '2', bytes: '1800' },
  ...{ file: 'second-stage.md', path: '/second-stage.md', place: '7', word: 'aple', near: 'apple, ample' },
};

export const device = (name: string, more: Partial<MemberDeviceInfo> = {}): MemberDeviceInfo => ({
  ...{ device: Buffer.from(name).toString('hex').padEnd(64, '0'), name, self: false, online: false },
  ...{ standing: 'active', forked: false, mayTakeOut: true },
  ...more,
});

const member = (name: string, devices: readonly MemberDeviceInfo[], more: Partial<MemberInfo> = {}) =>
  ({ name, devices, presence: 'offline', ...more }) as const;

export const work = (id: string, more: Partial<WorkInfo>): WorkInfo => ({
  ...{ id, kind: 'post', toolName: 'Chat', name: '', text: '', reason: 'notPermitted', time: NOW - DAY },
  ...more,
});

export const join = (workspaceName: string, more: Partial<JoinInfo>): JoinInfo => ({
  ...{ workspace: Buffer.from(workspaceName).toString('hex').padEnd(64, '0'), workspaceName, own: false },
  ...{ state: 'asking', doneBytes: 0, totalBytes: 0 },
  ...more,
});

export class MadeUp {
  readonly service = new FakeService();
  /** What it answers in another way than the fake. */
  readonly answers: Partial<CoterieApi> = {};
  /** What it says of the copy of a workspace, by its name. */
  readonly copies: Record<string, Partial<SyncInfo>> = {};
  /** What it says of a workspace otherwise, by its name. */
  readonly states: Record<string, Partial<WorkspaceInfo>> = {};
  readonly api: CoterieApi;
  apollo = '';
  gemini = '';

  private constructor() {
    const { service } = this;
    this.answers.workspaces = async () =>
      (await service.api.workspaces()).map((one) => ({
        ...one,
        sync: { ...one.sync, ...this.copies[one.name] },
        ...this.states[one.name],
      }));
    this.api = new Proxy(service.api, {
      get: (target, name: keyof CoterieApi) => this.answers[name] ?? target[name],
    });
  }

  static async furnished(): Promise<MadeUp> {
    const made = new MadeUp();
    await furnishApollo(made);
    await furnishGemini(made);
    await furnishChat(made);
    made.copies['Apollo'] = { inSync: 4, differing: ['Bob'], newer: ['Carol'] };
    made.copies['Gemini'] = { outOfStep: true };
    made.answers.closed = async () => CLOSED;
    made.answers.notAccepted = async () => NOT_ACCEPTED;
    made.answers.absentDevices = async () =>
      made.service
        .workspace(made.apollo)
        .members.flatMap(({ account, name: of, devices }) =>
          devices.filter((one) => one.absentSince).map((one) => ({ ...one, account, member: of })),
        );
    made.service.offers.push({
      ...{ id: 'o', name: 'Skylab', newName: 'Skylab (continued)', by: 'Bob', role: 'participant' },
      ...{ safetyNumber: '12345 67890', expires: NOW + 30 * DAY },
    });
    return made;
  }

  /** Has the window ask again. */
  changed(): void {
    this.service.emitter.fire({ type: 'workspaces' });
  }
}

async function furnishApollo(made: MadeUp): Promise<void> {
  const { api } = made.service;
  const apollo = await api.createWorkspace({ name: 'Apollo' });
  made.apollo = apollo;
  const plans = await api.addTool(apollo, 'files', 'Plans');
  await api.addTool(apollo, 'chat', 'Announcements for everybody who works on the second stage of the rocket');
  const absent = device('old desk', { absentSince: NOW - 30 * DAY });
  for (const one of [
    member('Bob', [device('notebook', { online: true }), absent], { presence: 'online' }),
    member('Carol', [device('laptop', { forked: true })]),
    member('Dora', [device('tower', { standing: 'dropped', by: 'Alice', mayTakeOut: false })]),
    member('Eve', [device('travel', { standing: 'frozen', by: 'Alice', mayTakeOut: false })], { role: 'guest' }),
    member('Frank', [device('one', { absentSince: NOW - 40 * DAY }), device('two', { forked: true })]),
  ])
    made.service.addMember(apollo, one.name, one);
  await api.setPermission(apollo, 'files', 'delete', 'participant', true);
  await api.setPermission(apollo, { tool: plans }, 'add', 'guest', true);
  await api.setPermission(apollo, { tool: plans }, 'edit', 'participant', false);
  await api.setPermission(apollo, { tool: plans }, 'deleteOwn', 'participant', false);
  await api.setPermission(apollo, { tool: plans }, 'deleteOwn', 'participant', null);
}

async function furnishGemini(made: MadeUp): Promise<void> {
  const { service } = made;
  const gemini = await service.api.createWorkspace({ name: 'Gemini' });
  made.gemini = gemini;
  const workspace = service.workspace(gemini);
  workspace.role = 'participant';
  workspace.members.splice(0, 1, { ...workspace.members[0]!, role: 'participant' });
  service.addMember(gemini, 'Bob', { presence: 'idle', verified: true });
  const [files] = [...workspace.tools.values()];
  for (const path of ['/engine.c', '/engine (Bob’s changes).c', '/launch film.mp4'])
    service.writeAs(gemini, files!.id, path, 'x'.repeat(2_000));
  const change = (path: string, more: object) => files!.files.set(path, { ...files!.files.get(path)!, ...more });
  change('/engine.c', { unread: false });
  change('/engine (Bob’s changes).c', { conflictOf: 'Bob' });
  change('/launch film.mp4', { present: false, bytes: 734_003_200 });
}

/** In the chat of Apollo: what is edited, what waits, what was carried over, and what is long. */
async function furnishChat({ service, apollo }: MadeUp): Promise<void> {
  const chat = [...service.workspace(apollo).tools.values()].find(({ kind }) => kind === 'chat')!;
  service.postAs(apollo, chat.id, 'We start at noon: see <https://example.org/launch?stage=second&window=12-00>');
  service.postAs(apollo, chat.id, 'x'.repeat(300), 'Carol');
  const told = service.postAs(apollo, chat.id, 'Said long ago, in **Skylab**.', 'Bob');
  const own = await service.api.post(apollo, chat.id, 'Then I bring `engine.c`\n\n1. first\n2. second');
  chat.posts = chat.posts.map((post) => {
    if (post.id === own.id) return { ...post, edited: true };
    return post.id === told.id
      ? { ...post, told: { account: 'dd'.repeat(32), name: 'Dora', time: NOW - 400 * DAY } }
      : post;
  });
}

const CLOSED: readonly ClosedInfo[] = (
  [
    ['Mercury', 'removed', {}],
    ['Skylab', 'dropped', { work: [work('1', { text: 'unsent' })] }],
    ['Soyuz', 'dropped', { isAsking: true }],
    ['Vostok', 'frozen', { work: [work('1', { text: 'unsent' })] }],
    ['Voskhod', 'device', {}],
    ['Shuttle', 'dropped', { isBack: true, work: [work('1', {}), work('2', {})] }],
    ['Kosmos', 'overtaken', { work: [work('1', {})] }],
    ['Salyut', 'letInVain', { work: [work('1', {})] }],
    ['Almaz', 'left', {}],
  ] as const
).map(([name, how, more], n) => ({
  ...{ id: `${n}`.repeat(64), name, how, by: 'Alice', at: NOW - DAY, isBack: false, isAsking: false, work: [] },
  ...more,
}));

export const CLOSED_WITH_WORK = CLOSED.find(({ how }) => how === 'overtaken')!.id;

const NOT_ACCEPTED: readonly WorkInfo[] = [
  work('1', { text: 'We start at noon.\nNot before.', reason: 'cutOff' }),
  work('2', { kind: 'file', toolName: 'Plans', name: 'second-stage.md' }),
  work('3', { text: 'x'.repeat(300), reason: 'unknownTool' }),
  work('4', { kind: 'file', toolName: 'Files', name: 'engine.c', reason: 'noTarget' }),
  work('5', { kind: 'file', toolName: 'Files', name: '', reason: 'malformed' }),
  work('6', { text: '', reason: 'left' }),
  work('7', { text: 'Written on the train', reason: 'apart' }),
  work('8', { kind: 'file', toolName: 'Plans', name: 'second-stage.md', reason: 'waits' }),
  work('9', { text: 'Written on the copy', reason: 'forked' }),
  work('10', { text: 'Written with the next version', reason: 'newer' }),
];
