/** N5: who asks to be let in, and is asked about. */
import assert from 'node:assert/strict';
import type { DeltaId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { MAX_PENDING_JOINS } from '../../src/protocol/limits.ts';
import type { Hub } from '../../src/service/hub.ts';
import { Inviting } from '../../src/service/inviting.ts';
import { LocalState } from '../../src/service/local-state.ts';
import type { Readmitting } from '../../src/service/readmitting.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import { Role } from '../../src/sync/control.ts';
import { invitationKeys, joinSubject } from '../../src/sync/invitation.ts';
import type { InviteRecord } from '../../src/sync/roster.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';

describe('Who asks to be let in', () => {
  const crypto = nodeCrypto(seededRandom('inviting'));
  const [self] = makePerson(crypto, 'Alice', 1).devices;
  const id = '0a'.repeat(32) as WorkspaceId;

  for (const [how, spoilt] of [
    ['revoked', { revoked: true }],
    ['used up', { usesLeft: 0 }],
  ] as const)
    it(`N5 by an invitation that has got about fills the list only until that is ${how}`, async () => {
      const local = new LocalState();
      const hub = {
        ...{ crypto, local, identity: self, commit: async () => undefined, emit: () => undefined },
        ...{ clock: { now: () => 0 }, transport: { send: () => true } },
      } as unknown as Hub;
      const invites = new Map<DeltaId, InviteRecord>();
      const roster = {
        ...{ invites, devices: new Map(), members: new Map(), letInVain: [] },
        ...{ gone: new Map(), goneRecords: new Map(), wordsOut: new Map() },
      };
      const workspace = { id, roster, replica: { node: () => undefined } } as unknown as SharedWorkspace;
      const inviting = new Inviting(hub, workspace, { isDropped: () => false } as unknown as Readmitting);
      const [leaked, fresh] = ['1b', '2b'].map((digits, n) => {
        const { signingSeed, publicKey, seal } = invitationKeys(crypto, new Uint8Array(32).fill(n));
        const invite = digits.repeat(32) as DeltaId;
        const about = {
          inviter: self!.account,
          role: Role.guest,
          expires: 1,
          confirm: true,
          usesLeft: 99,
          revoked: false,
        };
        invites.set(invite, { id: invite, publicKey, sealKey: seal.key, ...about });
        return { invite, signingSeed };
      });
      const comes = async (name: string, by: typeof leaked): Promise<void> => {
        const { device, certificate } = makePerson(crypto, name, 1).devices[0]!;
        const signature = crypto.sign(by!.signingSeed, joinSubject(id, by!.invite, [], certificate.bytes));
        const about = { name, relay: '', addresses: [], since: [], signature };
        await inviting.asked(by!.invite, device, { kind: 'join', certificate: certificate.bytes, ...about });
      };
      for (let n = 0; n <= MAX_PENDING_JOINS; n++) await comes(`made up ${n}`, leaked);
      await comes('Bob', fresh);
      assert.ok(inviting.requests().every(({ name }) => name.startsWith('made up')));
      assert.equal(inviting.requests().length, MAX_PENDING_JOINS);
      invites.set(leaked!.invite, { ...invites.get(leaked!.invite)!, ...spoilt });
      await comes('Bob', fresh);
      assert.deepEqual(
        inviting.requests().map(({ name }) => name),
        ['Bob'],
      );
      assert.equal([...local.under('request/')].length, 1, 'the others are forgotten');
    });
});
