/** What a person is told once, and not again. */
import assert from 'node:assert/strict';
import { Emitter } from '../../src/base/event.ts';
import type { JoinRequestInfo, OfferInfo, ServiceEvent, WorkspaceInfo } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { showNotices } = await import('../../src/views/notices.ts');

const nothing = { dispose: () => undefined };

function open() {
  const kept = new Map<string, unknown>();
  const events = new Emitter<ServiceEvent>();
  const listeners: ((lists: object) => void)[] = [];
  const house = {
    context: {
      globalState: {
        get: (key: string, otherwise: unknown) => kept.get(key) ?? otherwise,
        update: async (key: string, value: unknown) => void kept.set(key, value),
      },
    },
    session: { events: events.event, onStalled: () => nothing },
    list: {
      onChange: (listener: (lists: object) => void) => (listeners.push(listener), nothing),
      workspace: () => undefined,
    },
  } as unknown as House;
  showNotices(house);
  const change = async (lists: object) => {
    for (const listener of listeners) listener({ workspaces: [], requests: [], offers: [], ...lists });
    await new Promise((resolve) => setImmediate(resolve));
  };
  const list = (...workspaces: readonly WorkspaceInfo[]) => change({ workspaces });
  return { list, change, hear: (event: ServiceEvent) => events.fire(event) };
}

const workspace = (id: string, ...roles: readonly string[]) =>
  ({ id, name: id, state: 'open', members: roles.map((role) => ({ role })) }) as unknown as WorkspaceInfo;

describe('That no manager is left', () => {
  beforeEach(() => vscode.clear());

  it('A7 is told once of each workspace, also where there was no list in between, and again when there was one meanwhile', async () => {
    const { list } = open();
    await list(workspace('Apollo', 'participant'), workspace('Gemini', 'manager'));
    assert.equal(vscode.shown.length, 1);
    await list();
    await list(workspace('Apollo', 'participant'), workspace('Gemini', 'participant'));
    assert.equal(vscode.shown.length, 2);
    assert.match(vscode.shown[1]!.text, /Gemini/);
    await list(workspace('Apollo', 'manager'));
    await list(workspace('Apollo', 'participant'));
    assert.equal(vscode.shown.length, 3);
  });
});

describe('Who asks to join, and who asks one along', () => {
  beforeEach(() => vscode.clear());

  const request = { id: 'w.d', workspace: 'w', name: 'Bob', role: 'guest', safetyNumber: '1' } as JoinRequestInfo;
  const offer = { id: 'a.w', name: 'Apollo', newName: 'Odyssey', by: 'Bob', role: 'guest' } as OfferInfo;
  const asked: Readonly<Record<string, readonly [ServiceEvent, object]>> = {
    'who asks to join': [{ type: 'joinRequest', request }, { requests: [request] }],
    'who asks along': [{ type: 'offer', offer }, { offers: [offer] }],
  };

  for (const [who, [event, listed]] of Object.entries(asked)) {
    it(`N2, A7 ${who} is put before one once, and again where he was answered and asks again`, async () => {
      const { change, hear } = open();
      hear(event);
      await change(listed);
      hear(event);
      assert.equal(vscode.shown.length, 1);
      await change({});
      hear(event);
      assert.equal(vscode.shown.length, 2);
    });
  }
});
