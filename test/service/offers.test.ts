/** A7: what members offer is believed of whom it comes from alone, and is bounded. */
import assert from 'node:assert/strict';
import type { AccountId, DeltaId, DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { toUtf8 } from '../../src/base/utf8.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { MAX_OFFERS } from '../../src/protocol/limits.ts';
import type { ServiceEvent } from '../../src/service/api.ts';
import type { Continuing } from '../../src/service/continuing.ts';
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
  const [carol, bob, desk, mallory] = [person(), person(), person(), person()];

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
    // In the old one Bob has two devices; whether a word can go out is drawn by the test.
    const told: string[] = [];
    const paths = new Set<DeviceId>();
    const oldOne = {
      roster: {
        members: new Map([[bob.account, { devices: [bob, desk].map(({ certificate }) => ({ certificate })) }]]),
      },
      tellContinued: async (device: DeviceId, text: string) => {
        if (!paths.has(device)) return undefined;
        told.push(`${device === bob.device ? 'laptop' : 'desk'} ${text}`);
        return 'direct';
      },
    };
    const workspaces = { get: (of: WorkspaceId) => (of === old ? { workspace: oldOne } : undefined) };
    const answers: (readonly string[])[] = [];
    const continuing = { declined: async (...answer: readonly string[]) => void answers.push(answer) };
    const made = new Offers(hub, workspaces as unknown as Workspaces, joins, continuing as unknown as Continuing);
    const comes = (from: Someone, invitation: Invitation | string, to: Someone = carol, workspace = old) => {
      const text = typeof invitation === 'string' ? invitation : writeInvitation(crypto, invitation);
      const sealed = sealMessage(crypto, pairSeal(crypto, from, to.certificate)!, toUtf8(text));
      return { sealed, came: made.came({ workspace, name: 'Old', by: 'B', certificate: from.certificate }, sealed) };
    };
    return { made, comes, events, joined, told, paths, answers };
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

  it('A7 declined, that is told when it can be, once, and again to who asks again', async () => {
    const { made, comes, told, paths } = offers();
    const invitation = invitationOf(bob.account);
    await comes(bob, invitation).came;
    const [offer] = made.infos();
    await made.answer(offer!.id, false);
    assert.deepEqual([told, made.infos()], [[], []], 'no path is open');
    await made.retell(bob.device);
    paths.add(desk.device);
    await made.retell(bob.device);
    assert.deepEqual(told, []);
    await made.retell(desk.device);
    await made.retell();
    const word = `declined/${invitation.workspace}`;
    assert.deepEqual(told, [`desk ${word}`]);
    paths.add(bob.device);
    await made.retell();
    assert.equal(told.length, 1, 'he has heard it');
    await comes(bob, invitation).came;
    assert.deepEqual(told.slice(1), [`laptop ${word}`], 'he has not');
    await made.answer(offer!.id, true);
    await made.retell();
    assert.equal(told.length, 2, 'he comes along after all');
  });

  it('A7 an answer is taken as its sender’s alone, about one workspace', async () => {
    const { made, comes, answers, events } = offers();
    const into = id() as WorkspaceId;
    await comes(bob, `declined/${into}`).came;
    await comes(mallory, `declined/${into}`, carol, id() as WorkspaceId).came;
    assert.deepEqual(answers[0], [bob.account, old, into]);
    assert.deepEqual([answers.length, answers[1]![0]], [2, mallory.account]);
    for (const text of [
      'declined/',
      `declined/${into}ab`,
      `declined/${into.slice(2)}`,
      `Declined/${into}`,
      'declined/x',
    ])
      await comes(bob, text).came;
    assert.equal(answers.length, 2);
    assert.deepEqual([made.infos(), events], [[], []]);
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
