/** What a screen reader says of a row: VS Code takes `accessibilityInformation`, or else a tooltip that is text, be it empty. */
import assert from 'node:assert/strict';
import type { Node } from '../../src/views/tree-nodes.ts';
import '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { treeItem } = await import('../../src/views/tree-item.ts');

const sync = { others: 1, inSync: 1, relayed: 0, missingBytes: 0, differing: [], newer: [] };
const device = { device: 'd', name: 'Laptop', standing: 'active', self: false, online: true, forked: false };
const member = { account: 'm', name: 'Bob', role: 'guest', presence: 'online', self: false, devices: [device] };
const tool = { id: 't', kind: 'files', name: 'Files', may: [], unread: 0 };
const workspace = {
  id: 'w',
  name: 'Apollo',
  state: 'open',
  may: [],
  members: [member],
  tools: [tool],
  sync,
  unread: 0,
};
const request = { id: 'r', workspace: 'w', name: 'Carol', role: 'guest', safetyNumber: '1' };
const closed = { id: 'c', name: 'Gemini', how: 'left', by: '', at: 0, work: [] };
const offer = { id: 'o', name: 'Apollo', newName: 'Odyssey', by: 'Bob', role: 'guest' };
const join = { workspace: 'j', workspaceName: 'Mercury', state: 'waiting', doneBytes: 0, totalBytes: 0 };
const entry = { name: 'plan.md', kind: 'file', bytes: 1, present: true, unread: false };

const rows: readonly (readonly [object, RegExp])[] = [
  [{ kind: 'workspace', workspace }, /Apollo/],
  [{ kind: 'tool', workspace, tool }, /Files/],
  [{ kind: 'members', workspace, requests: [request] }, /^Members, 1, 1 online, 1 asking to join$/],
  [{ kind: 'member', workspace, member }, /Bob/],
  [{ kind: 'device', workspace, member, device }, /Laptop/],
  [{ kind: 'request', workspace, request }, /Carol/],
  [{ kind: 'join', join }, /Mercury/],
  [{ kind: 'offer', offer }, /Odyssey/],
  [{ kind: 'closed', closed }, /Gemini/],
  [{ kind: 'entry', workspace, tool: 't', path: '/plan.md', entry }, /plan\.md/],
];

describe('a row of the tree', () => {
  it('has words for a screen reader, whatever it is', () => {
    for (const [node, words] of rows) {
      const { accessibilityInformation, tooltip } = treeItem(node as Node);
      assert.match(accessibilityInformation?.label ?? (tooltip as string), words);
    }
  });
});
