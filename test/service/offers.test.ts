/** A7: what members offer is believed of whom it comes from alone, and is bounded. */
import assert from 'node:assert/strict';
import type { AccountId, DeltaId, WorkspaceId } from '../../src/base/ids.ts';
import { toUtf8 } from '../../src/base/utf8.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { MAX_OFFERS } from '../../src/protocol/limits.ts';
import type { ServiceEvent } from '../../src/service/api.ts';
import type { Hub } from '../../src/service/hub.ts';
import type { Joins } from '../../src/service/joins.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { Offers } from '../../src/service/offers.ts';
import type { Workspaces } from '../../src/service/workspaces.ts';
import { Role } from '../../src/sync/control.ts';
import { pairSeal } from '../../src/sync/device-link.ts';
import { sealMessage } from '../../src/sync/envelope.ts';
import { writeInvitation, type Invitation } from '../../src/sync/invitation.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const NOW = Date.UTC(2026, 0, 5);
const crypto = nodeCrypto(seededRandom('offers'));
const id = () => Buffer.from(crypto.randomBytes(32)).toString('hex');

function person() {
  const agreementSecret = crypto.randomBytes(32);
  const certificate = issueCertificate(crypto, crypto.randomBytes(32), {
    signingSeed: crypto.randomBytes(32),
    agreementKey: crypto.agreementKeyOf(agreementSecret),
    name: '',
    created: NOW,
  });
  return { certificate, agreementSecret, account: certificate.account, device: certificate.device };
}

type Someone = ReturnType<typeof person>;

function invitationOf(inviter: AccountId, more: Partial<Invitation> = {}): Invitation {
  return {
    ...{ workspace: id() as WorkspaceId, invite: id() as DeltaId, workspaceName: 'New', inviterName: 'B', inviter },
    ...{ role: Role.participant, expires: NOW + 1, secret: crypto.randomBytes(32), routes: [] },
    ...more,
  };
}

describe('Offers of members', () => {
  const old = id() as WorkspaceId;
  const [carol, bob, mallory] = [person(), person(), person()];

  /** Carol's. */
  function offers() {
    const events: ServiceEvent[] = [];
    const joined = new Set<WorkspaceId>();
    const local = new LocalState();
    const hub = {
      ...{ crypto, identity: carol, local, clock: { now: () => NOW }, commit: async () => undefined },
      emit: (event: ServiceEvent) => events.push(event),
    } as unknown as Hub;
    const joins = {
      has: (workspace: WorkspaceId) => joined.has(workspace),
      accept: async ({ workspace }: Invitation) => void joined.add(workspace),
    } as unknown as Joins;
    const made = new Offers(hub, { get: () => undefined } as unknown as Workspaces, joins);
    const comes = (from: Someone, invitation: Invitation | string, to: Someone = carol, workspace = old) => {
      const text = typeof invitation === 'string' ? invitation : writeInvitation(crypto, invitation);
      const sealed = sealMessage(crypto, pairSeal(crypto, from, to.certificate)!, toUtf8(text));
      return { sealed, came: made.came({ workspace, name: 'Old', by: 'B', certificate: from.certificate }, sealed) };
    };
    return { made, comes, events, joined };
  }

  it('A7 one comes, is told of once however often it is said, and is a join when it is accepted, once', async () => {
    const { made, comes, events, joined } = offers();
    const invitation = invitationOf(bob.account);
    for (let i = 0; i < 3; i++) await comes(bob, invitation).came;
    assert.equal(events.length, 1);
    const [offer] = made.infos();
    assert.deepEqual([offer?.name, offer?.newName, offer?.by, offer?.role], ['Old', 'New', 'B', 'participant']);
    await made.answer(offer!.id, true);
    assert.deepEqual([[...joined], made.infos()], [[invitation.workspace], []]);
    await comes(bob, invitation).came;
    assert.deepEqual(made.infos(), [], 'he is on his way');
    await assert.rejects(made.answer(offer!.id, true), { code: 'notFound' });
  });

  it('A7 nobody offers in another’s name, nor what was sealed by or for another', async () => {
    const { made, comes, events } = offers();
    await comes(mallory, invitationOf(bob.account)).came;
    const { sealed } = comes(bob, invitationOf(bob.account), mallory);
    await made.came({ workspace: old, name: 'Old', by: 'B', certificate: bob.certificate }, sealed);
    const ofBob = comes(bob, invitationOf(bob.account), carol, id() as WorkspaceId);
    await ofBob.came;
    const before = made.infos().length;
    await made.came({ workspace: old, name: 'Old', by: 'M', certificate: mallory.certificate }, ofBob.sealed);
    assert.deepEqual([before, made.infos().length, events.length], [1, 1, 1]);
  });

  it('A7 D9 what is no invitation, or is none any more, is passed over', async () => {
    const { made, comes } = offers();
    for (const text of ['', 'hello', 'A'.repeat(200), '\uFFFF']) await comes(bob, text).came;
    await comes(bob, invitationOf(bob.account, { expires: NOW - 1 })).came;
    await made.came({ workspace: old, name: 'Old', by: 'B', certificate: bob.certificate }, crypto.randomBytes(100));
    assert.deepEqual(made.infos(), []);
  });

  it('A7 a member has one in each workspace, the last; there are never more than may be', async () => {
    const { made, comes } = offers();
    await comes(bob, invitationOf(bob.account)).came;
    await comes(bob, invitationOf(bob.account, { workspaceName: 'Newer' })).came;
    assert.deepEqual(
      made.infos().map(({ newName }) => newName),
      ['Newer'],
    );
    for (let i = 0; i < MAX_OFFERS + 3; i++)
      await comes(mallory, invitationOf(mallory.account), carol, id() as WorkspaceId).came;
    assert.equal(made.infos().length, MAX_OFFERS);
  });
});
