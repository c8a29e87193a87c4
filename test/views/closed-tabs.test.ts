/** Which tabs close because what they show is erased: those of a workspace that this person is out of, and only while he is. */
import assert from 'node:assert/strict';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { closeErasedTabs } = await import('../../src/views/closed-tabs.ts');
const { TabInputText, TabInputTextDiff, window } = await import('vscode');

const [APOLLO, GEMINI] = ['aa', 'bb'];
const fileIn = (workspace: string) =>
  vscode.Uri.from({ scheme: 'coterie', authority: `${workspace}.cc`, path: '/plan.md' }) as never;

/** A window with a tab of each workspace's file. Says of whom tabs and chats were closed. */
function open() {
  const closed: string[] = [];
  const tab = (name: string, input: object, isDirty = false) => ({ name, input, isDirty });
  const tabs = [
    tab('Apollo', new TabInputText(fileIn(APOLLO))),
    tab('Apollo, compared', new TabInputTextDiff(fileIn(GEMINI), fileIn(APOLLO))),
    tab('Apollo, unsaved', new TabInputText(fileIn(APOLLO)), true),
    tab('Gemini', new TabInputText(fileIn(GEMINI))),
  ];
  Object.assign(window, {
    tabGroups: {
      all: [{ tabs }],
      close: async (gone: readonly { readonly name: string }[]) => void closed.push(...gone.map(({ name }) => name)),
    },
  });
  let changed: (lists: object) => void = () => undefined;
  const list = { onChange: (listener: typeof changed) => ((changed = listener), { dispose: () => undefined }) };
  const session = { state: { kind: 'open' } };
  closeErasedTabs({ list, session } as unknown as House, (workspace) => closed.push(`chats of ${workspace}`));
  const hear = (...rows: readonly { readonly id: string; readonly isBack: boolean }[]): readonly string[] => {
    changed({ closed: rows, workspaces: [] });
    return closed.splice(0);
  };
  /** The list with Apollo in it, deleted for all or not; without it where that is undefined. */
  const show = (state?: string, kind = 'open'): readonly string[] => {
    session.state.kind = kind;
    changed({ closed: [], workspaces: state === undefined ? [] : [{ id: APOLLO, state }] });
    return closed.splice(0);
  };
  return { hear, show };
}

const out = { id: APOLLO, isBack: false };
const back = { id: APOLLO, isBack: true };

describe('the tabs of what is erased', () => {
  const before = { ...window };
  after(() => Object.assign(window, before));

  it('close when their workspace does, but for unsaved text, and no others', () => {
    const { hear } = open();
    assert.deepEqual(hear(), []);
    assert.deepEqual(hear(out), ['chats of aa', 'Apollo', 'Apollo, compared']);
    assert.deepEqual(hear(out), []);
  });

  it('L7 stay in a workspace that one is back in, while what was kept of it waits to be put back', () => {
    const { hear } = open();
    assert.deepEqual(hear(back), []);
  });

  it('A8 close when one that was deleted for all is removed from the list, and not where the list has gone', () => {
    const { show } = open();
    assert.deepEqual(show('closed'), []);
    assert.deepEqual(show(undefined, 'failed'), []);
    assert.deepEqual(show('closed'), []);
    assert.deepEqual(show(), ['chats of aa', 'Apollo', 'Apollo, compared']);
    assert.deepEqual(show('open'), []);
    assert.deepEqual(show(), []);
  });

  it('close again where one is taken out again', () => {
    const { hear } = open();
    hear(out);
    assert.deepEqual(hear(back), []);
    assert.deepEqual(hear(out), ['chats of aa', 'Apollo', 'Apollo, compared']);
    hear();
    assert.deepEqual(hear(out), ['chats of aa', 'Apollo', 'Apollo, compared']);
  });
});
