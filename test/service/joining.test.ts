/** Invitations and joins that go wrong (N1–N5): each with its word, and nothing lost. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { encode } from '../../src/protocol/codec.ts';
import { MAX_MEMBERS } from '../../src/protocol/limits.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { boxEpoch, epochOf } from '../../src/sync/epoch.ts';
import type { Entry } from '../../src/sync/replica.ts';
import type { JoinInfo, ServiceError } from '../../src/service/api.ts';
import type { WorkspaceId } from '../../src/base/ids.ts';
import type { Hub } from '../../src/service/hub.ts';
import { Joining } from '../../src/service/joining.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';
import { House, type Person } from './house.ts';

describe('Joining a workspace', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let workspace: string;

  const invite = (options: { uses?: number; expiresInMs?: number; confirm?: boolean } = {}) =>
    alice.api.invite(workspace, {
      role: 'participant',
      expiresInMs: options.expiresInMs ?? 60_000,
      uses: options.uses ?? 1,
      confirm: options.confirm ?? false,
      scheme: 'vscode',
    });

  async function outcome(person: Person, link: string): Promise<JoinInfo> {
    const ended = person.next((e) => e.type === 'join' && ['done', 'refused', 'failed'].includes(e.join.state));
    await person.api.acceptInvitation(link);
    const event = await ended;
    assert.ok(event.type === 'join');
    return event.join;
  }

  const refusedWith = (code: ServiceError['code']) => (error: unknown) => {
    assert.equal((error as ServiceError).name, 'ServiceError');
    assert.equal((error as ServiceError).code, code);
    return true;
  };

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
  });
  afterEach(() => house.close());

  it('N3 expiry is checked by who lets in, whatever the joiner’s clock says', async () => {
    const { link } = await invite({ expiresInMs: -1_000 });
    await assert.rejects(bob.api.acceptInvitation(link), refusedWith('invitationExpired'));
    const late = await house.move('Late', { clockBehindMs: 60 * 60_000 });
    const { state, reason } = await outcome(late, link);
    assert.deepEqual([state, reason], ['refused', 'expired']);
    assert.equal((await alice.info(workspace)).members.length, 1);
    assert.deepEqual(await late.api.workspaces(), []);
  });

  it('N3 the fifty-first is told that the workspace is full, and may come when somebody has gone', async () => {
    await alice.close();
    await alice.author(workspace, (crypto) =>
      Array.from({ length: MAX_MEMBERS - 1 }, (_, i): Entry => {
        const [accountSeed, signingSeed, agreementSecret] = [1, 2, 3].map(() => crypto.randomBytes(32)) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        const agreementKey = crypto.agreementKeyOf(agreementSecret);
        const certificate = issueCertificate(crypto, accountSeed, { signingSeed, agreementKey, name: '', created: 0 });
        const boxes = boxEpoch(crypto, epochOf(crypto, crypto.randomBytes(32)), []);
        const { account } = certificate;
        const body = controlBody.admit(account, Role.guest, `Member ${i}`, [certificate], undefined, boxes);
        return { tool: undefined, kind: 'admit', body };
      }),
    );
    await alice.open();
    const full = await alice.info(workspace);
    assert.equal(full.members.length, MAX_MEMBERS);
    const { link } = await invite();
    const { state, reason } = await outcome(bob, link);
    assert.deepEqual([state, reason], ['refused', 'workspaceFull']);
    assert.equal((await alice.info(workspace)).members.length, MAX_MEMBERS);
    await alice.api.removeMember(workspace, full.members.find(({ name }) => name === 'Member 7')!.account);
    assert.equal((await outcome(bob, link)).state, 'done');
  });

  it('N1 tells damaged, truncated, foreign and mistaken texts apart, and changes nothing', async () => {
    const { link, file } = await invite();
    const [head, text] = link.split('#') as [string, string];
    const flipped = text.slice(0, 100) + (text[100] === 'A' ? 'B' : 'A') + text.slice(101);
    const padded = encode([1, 'from next year', randomBytes(64)]);
    const foreign = Buffer.concat([padded, nodeCrypto().sha256(padded).subarray(0, 4)]).toString('base64url');
    for (const bad of [`${head}#${flipped}`, link.slice(0, -30), file.slice(0, 90), 'hello', '', `${head}#`]) {
      await assert.rejects(bob.api.readInvitation(bad), refusedWith('badInvitation'), bad.slice(0, 40));
      await assert.rejects(bob.api.acceptInvitation(bad), refusedWith('badInvitation'));
    }
    await assert.rejects(bob.api.acceptInvitation(`${head}#${foreign}`), refusedWith('invitationForeign'));
    assert.deepEqual(await bob.api.joins(), []);
    assert.equal((await bob.api.readInvitation(file)).workspaceName, 'Apollo');
  });

  it('N3 an expired invitation is refused before anybody is asked', async () => {
    const expired = await invite({ expiresInMs: -1 });
    await assert.rejects(bob.api.acceptInvitation(expired.link), refusedWith('invitationExpired'));
    assert.deepEqual(await bob.api.joins(), []);
  });

  it('N3 a revoked invitation is refused, with the reason', async () => {
    const { id, link } = await invite();
    await alice.api.revokeInvitation(workspace, id);
    assert.equal((await outcome(bob, link)).reason, 'revoked');
    assert.deepEqual(await bob.api.workspaces(), []);
    assert.equal((await alice.info(workspace)).members.length, 1);
  });

  it('N3 an invitation for one is used once', async () => {
    const { link } = await invite();
    const { state, own } = await outcome(bob, link);
    assert.deepEqual([state, own], ['done', false]);
    const carol = await house.move('Carol');
    assert.equal((await outcome(carol, link)).reason, 'used');
    await assert.rejects(bob.api.acceptInvitation(link), refusedWith('alreadyMember'));
    assert.equal((await alice.info(workspace)).members.length, 2);
  });

  it('N5 the inviter declines: the joiner is told, and may ask again with another invitation', async () => {
    const asked = alice.next((e) => e.type === 'joinRequest');
    const refused = outcome(bob, (await invite({ confirm: true })).link);
    const event = await asked;
    assert.ok(event.type === 'joinRequest' && event.request.name === 'Bob');
    await alice.api.answerJoin(event.request.id, false);
    assert.equal((await refused).reason, 'declined');
    assert.deepEqual(await alice.api.joinRequests(), []);
    assert.equal((await outcome(bob, (await invite()).link)).state, 'done');
  });

  it('A10 a person who is a member with another device is told that it is no good, and nobody stumbles', async () => {
    await house.join(alice, bob, workspace, { confirm: false });
    const second = await house.move('Bob again');
    await second.close();
    Object.assign(second.secrets, { accountSeed: bob.secrets.accountSeed });
    await second.forget();
    await second.open();
    assert.equal((await outcome(second, (await invite()).link)).reason, 'unknown');
    await house.converged(workspace, alice, bob);
  });

  it('N2 the joiner restarts while he asks, and goes on', async () => {
    const { link } = await invite({ confirm: true });
    const asked = alice.next((e) => e.type === 'joinRequest');
    await bob.api.acceptInvitation(link);
    const event = await asked;
    assert.ok(event.type === 'joinRequest');
    await bob.close();
    await alice.api.answerJoin(event.request.id, true);
    const joined = bob.open();
    await joined;
    await bob.until(async () => (await bob.api.workspaces())[0]?.state === 'open');
    await house.converged(workspace, alice, bob);
  });

  it('N4 the joiner restarts while he copies, and goes on', async () => {
    const [files] = await alice.tools(workspace);
    const bytes = randomBytes(12_000_000);
    await alice.write(workspace, files!, '/big.bin', bytes);
    const copying = bob.next((e) => e.type === 'join' && e.join.state === 'copying' && e.join.doneBytes > 0);
    await bob.api.acceptInvitation((await invite()).link);
    await copying;
    await bob.close();
    await bob.open();
    await bob.until(async () => (await bob.api.workspaces())[0]?.state === 'open');
    await house.converged(workspace, alice, bob);
    assert.deepEqual(await bob.api.joins(), []);
  });

  it('N2 the inviter restarts between the asking and the answer: the request is still there', async () => {
    const { link } = await invite({ confirm: true });
    const asked = alice.next((e) => e.type === 'joinRequest');
    await bob.api.acceptInvitation(link);
    await asked;
    await alice.close();
    await alice.open();
    const [request] = await alice.api.joinRequests();
    await alice.api.answerJoin(request!.id, true);
    assert.equal((await alice.info(workspace)).members.length, 2);
  });
});

describe('Joining after a change of keys', function () {
  this.timeout(30_000);
  let house: House;
  beforeEach(async () => (house = await House.build()));
  afterEach(() => house.close());

  for (const path of ['direct', 'relay'] as const)
    it(`F1, K1 what was written before comes whole, ${path === 'direct' ? 'directly' : 'by relay'}`, async () => {
      const options = { direct: path === 'direct' };
      if (!options.direct) await house.startRelay();
      const alice = await house.move('Alice', options);
      const bob = await house.move('Bob', options);
      const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
      const [files] = (await alice.tools(workspace)) as [string];
      await alice.write(workspace, files, '/plan.txt', 'the plan\n');
      await alice.write(workspace, files, '/large.bin', seededBytes(400_000, 7));
      await house.join(alice, bob, workspace, { confirm: false });
      await alice.api.removeMember(workspace, (await bob.api.identity()).account);
      await alice.write(workspace, files, '/later.txt', 'for those who are left\n');
      const carol = await house.move('Carol', options);
      await house.join(alice, carol, workspace, { confirm: false });
      assert.equal((await house.converged(workspace, alice, carol)).length, 3);
    });
});

describe('Joining by relay', function () {
  this.timeout(30_000);
  let house: House;
  beforeEach(async () => (house = await House.build()));
  afterEach(() => house.close());

  it('N2, R4 the inviter is away when he is asked, and comes later', async () => {
    await house.startRelay();
    const alice = await house.move('Alice', { direct: false });
    const bob = await house.move('Bob', { direct: false });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await alice.tools(workspace);
    await alice.write(workspace, files!, '/plan.txt', 'the plan\n');
    await alice.api.post(workspace, chat!, 'welcome');
    const { link } = await alice.api.invite(workspace, {
      role: 'participant',
      expiresInMs: 60_000,
      uses: 1,
      confirm: false,
      scheme: 'vscode',
    });
    await alice.until(async () => (await alice.api.relay()).state === 'connected');
    await alice.close();
    const waiting = bob.next((e) => e.type === 'join' && e.join.state === 'waiting');
    await bob.api.acceptInvitation(link);
    await waiting;
    await alice.open({ direct: false });
    await bob.until(async () => (await bob.api.workspaces())[0]?.state === 'open');
    const listing = await house.converged(workspace, alice, bob);
    assert.equal(listing.length, 2);
  });
});

describe('A copy on its way', () => {
  const crypto = nodeCrypto(seededRandom('on its way'));
  const { device, account } = makePerson(crypto, 'Carol', 1).devices[0]!;
  const told: unknown[] = [];
  const hub = {
    ...{ crypto, identity: { device, account }, displayName: () => 'Carol' },
    emit: (event: unknown) => void told.push(event),
  } as unknown as Hub;

  it('I4 L7 has not come whole before the word that lets this device in again, though an older one is in it', () => {
    const word = {
      kind: 'workspace',
      workspace: '0a'.repeat(32) as WorkspaceId,
      name: 'Apollo',
      admit: new Uint8Array(),
      total: 1,
    } as const;
    const joining = Joining.letIn(hub, word, { device, relay: undefined, addresses: [] });
    const engine = { isOutside: true, basePartsHere: undefined };
    const workspace = {
      ...{ engine, replica: { size: 1 }, exchange: { lackingBytes: 0 }, lackingChunks: 0 },
      roster: { devices: new Map([[device, {}]]) },
    } as unknown as SharedWorkspace;
    joining.copying(workspace);
    assert.equal(joining.progressed(), false);
    assert.equal(joining.ended, false);
    engine.isOutside = false;
    assert.ok(joining.progressed());
    assert.ok(joining.ended);
    assert.equal(told.length, 3);
  });
});
