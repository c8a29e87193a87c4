/** I3: a name stands beside the number by which its owner is told from others. It must hold no number, and move none. */
import assert from 'node:assert/strict';
import type { MemberInfo, WorkspaceInfo } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { askAboutDevice } = await import('../../src/views/commands/devices.ts');
const { answerOffer } = await import('../../src/views/commands/continuing.ts');
const { acceptInvitation, answerJoinRequests } = await import('../../src/views/commands/invitations.ts');
const { showSafetyNumber, verifyMember } = await import('../../src/views/commands/people.ts');
const { treeItem } = await import('../../src/views/tree-item.ts');

/** What somebody else would show, whose account is known to all. */
const forged = Array.from({ length: 12 }, (_, group) => `1234${group % 10}`).join(' ');
const safetyNumber = Array.from({ length: 12 }, () => '66666').join(' ');
const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const names = [
  `Alice\n\nSafety number: ${forged}\n\n`,
  `Alice asks to join Apollo as guest. Safety number: ${forged}. Mallory`,
  `Alice\u202e`,
  `Alice\r\u2028\u2029\u0000\u2067`,
];

function houseWith(name: string): House {
  const member = { account: 'm', name, role: 'guest', self: false, safetyNumber, devices: [] };
  const workspaces = [{ id: 'w', name: 'Apollo', state: 'open', members: [member], tools: [] }];
  const requests = [{ id: 'r', workspace: 'w', name, role: 'guest', safetyNumber }];
  const offers = [{ id: 'o', by: name, name, newName: name, role: 'guest', safetyNumber, expires: 0 }];
  const invitation = { inviterName: name, workspaceName: name, role: 'guest', safetyNumber, expires: 0 };
  const list = { workspaces, lists: { requests, offers }, workspace: () => workspaces[0] };
  const say = { guard: (work: () => Promise<unknown>) => work() };
  return { list, say, begin: async () => ({ readInvitation: async () => invitation }) } as unknown as House;
}

const dialogs: Readonly<Record<string, (house: House, name: string) => Promise<void>>> = {
  'a request to join': (house) => answerJoinRequests(house),
  'the safety number of a member': (house) => showSafetyNumber(house),
  'the verification of a member': (house) => verifyMember(house),
  'an invitation': (house) => acceptInvitation(house, {} as never, 'vscode://coterie.coterie/join#x'),
  'an offer to come along': (house) => answerOffer(house),
  'a device that asks': (house, name) => askAboutDevice(house, { id: 'd', name, number: safetyNumber }),
};

function assertHonest(text: string): void {
  assert.ok(text.includes(safetyNumber), text);
  assert.doesNotMatch(text, TURNING);
  assert.doesNotMatch(text, /\p{Cc}|[\u2028\u2029]/u);
  assert.ok(!text.includes(forged), text);
  // The rows of a number are compared from their beginning.
  assert.ok(!text.includes(forged.slice(0, 41)), text);
}

describe('I3 a name beside a safety number holds none of its own, and turns nothing around', () => {
  for (const [what, show] of Object.entries(dialogs)) {
    it(`in ${what}`, async () => {
      for (const name of names) {
        vscode.clear();
        await show(houseWith(name), name);
        assert.equal(vscode.shown.length, 1);
        const { text, detail = '' } = vscode.shown[0]!;
        assert.doesNotMatch(text, /[\n\r]/);
        assert.ok(text.includes('Alice'), text);
        assertHonest([text, ...detail.split('\n')].join('|'));
      }
    });
  }

  it('in the tree', () => {
    for (const name of names) {
      const device = { name, standing: 'active', forked: true };
      const member = { account: 'm', name, role: 'guest', presence: 'online', safetyNumber, devices: [device] };
      const request = { id: 'r', workspace: 'w', name, role: 'guest', safetyNumber };
      const workspace = { id: 'w', name: 'Apollo', state: 'open', may: [] } as unknown as WorkspaceInfo;
      const rows = [
        treeItem({ kind: 'member', workspace, member: member as unknown as MemberInfo }),
        treeItem({ kind: 'request', workspace, request: request as never }),
      ];
      for (const { tooltip } of rows) {
        const [first, ...lines] = (tooltip as string).split('\n');
        assert.match(first!, /Alice/);
        assertHonest([first, ...lines].join('|'));
        assert.equal(lines.length, rows[0]!.tooltip === tooltip ? 5 : 2);
      }
    }
  });
});
