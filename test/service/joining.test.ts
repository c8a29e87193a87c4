/** Invitations and joins that go wrong (N1–N5): each with its word, and nothing lost. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { encode } from '../../src/protocol/codec.ts';
import { MAX_MEMBERS } from '../../src/protocol/limits.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { invitationKeys, readInvitation, type Invitation } from '../../src/sync/invitation.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { signDelta } from '../../src/sync/delta.ts';
import { boxEpoch, epochOf } from '../../src/sync/epoch.ts';
import type { Node } from '../../src/sync/graph.ts';
import { DeclineReason } from '../../src/sync/messages.ts';
import type { Entry } from '../../src/sync/replica.ts';
import type { JoinInfo, ServiceError } from '../../src/service/api.ts';
import { FORMAT } from '../../src/base/format.ts';
import type { DeltaId, DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import type { Hub } from '../../src/service/hub.ts';
import { Joining } from '../../src/service/joining.ts';
import { Joins, type JoinsOptions } from '../../src/service/joins.ts';
import type { KnownDevice } from '../../src/service/own-devices.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import { Contents } from '../../src/store/contents.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';
import { House, twice, type Person } from './house.ts';

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

  it('N4 who cancels while the copy comes has nothing of it, then and later, and his machine is as free as before', async () => {
    const [files] = await alice.tools(workspace);
    await alice.write(workspace, files!, '/plan.bin', seededBytes(300_000, 5));
    const { link } = await invite();
    // He has been let in, and more of the copy than the word of it does not come.
    let arrived = 0;
    bob.isLost = ({ bytes }) => ++arrived > 1 && bytes.length > 0;
    const copying = bob.next((e) => e.type === 'join' && e.join.state === 'copying');
    await bob.api.acceptInvitation(link);
    await copying;
    await bob.api.cancelJoin(workspace);
    assert.deepEqual(await bob.api.joins(), []);
    bob.isLost = () => false;
    await bob.close();
    assert.deepEqual(await bob.kept(workspace), []);
    await bob.open();
    await alice.until(async () => (await alice.info(workspace)).members.some(({ name }) => name === 'Bob'));
    assert.deepEqual(await bob.api.workspaces(), []);
    await bob.api.restoreAccount(await (await house.move('Bob’s other machine')).api.recoveryPhrase());
  });

  it('N4 K2 who cancels, and accepts again while what was here is erased, has all of the new copy', async () => {
    const [files] = await alice.tools(workspace);
    await alice.write(workspace, files!, '/plan.bin', seededBytes(300_000, 5));
    await alice.write(workspace, files!, '/note.txt', 'a note');
    const { link } = await invite({ uses: 2 });
    let arrived = 0;
    bob.isLost = ({ bytes }) => ++arrived > 1 && bytes.length > 0;
    const copying = bob.next((e) => e.type === 'join' && e.join.state === 'copying');
    await bob.api.acceptInvitation(link);
    await copying;
    // What another workspace names is not to go with it, and is looked for first.
    const own = await bob.api.createWorkspace({ name: 'Own' });
    const [ownFiles] = await bob.tools(own);
    await bob.write(own, ownFiles!, '/own.bin', seededBytes(300_000, 6));
    const { chunkRefs } = Contents.prototype;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow = new Set<Contents>();
    Contents.prototype.chunkRefs = async function (this: Contents, content) {
      // The first that is asked is his.
      if (slow.size === 0) slow.add(this);
      if (slow.has(this)) await released;
      return chunkRefs.call(this, content);
    };
    try {
      const cancelling = bob.api.cancelJoin(workspace);
      const invitation = readInvitation(nodeCrypto(), link);
      assert.ok(invitation.ok);
      const { tag } = invitationKeys(nodeCrypto(), invitation.value.secret).seal;
      const answered = new Promise<void>((resolve) => {
        bob.isLost = ({ bytes }) => {
          // Time for what comes of it, were there no copy to wait for.
          if (envelopeTag(bytes) === tag) setTimeout(resolve, 300);
          return false;
        };
      });
      const done = bob.next((e) => e.type === 'join' && e.join.state === 'done');
      await bob.api.acceptInvitation(link);
      await answered;
      assert.deepEqual(
        (await bob.api.workspaces()).map(({ name }) => name),
        ['Own'],
      );
      release();
      await cancelling;
      await done;
    } finally {
      release();
      Object.assign(Contents.prototype, { chunkRefs });
    }
    const whole = await house.converged(workspace, alice, bob);
    assert.equal(whole.length, 2);
    await bob.close();
    await bob.open();
    assert.deepEqual(await bob.listing(workspace), whole, 'also after a restart');
  });

  it('N4 who cancels when he is in, while content comes still, keeps what he has, and what he has written', async () => {
    const [files, chat] = await alice.tools(workspace);
    const { link } = await invite();
    await alice.write(workspace, files!, '/plan.bin', seededBytes(3_000_000, 5));
    // The words come, and of the content nothing.
    bob.isLost = ({ bytes }) => bytes.length > 100_000;
    await bob.api.acceptInvitation(link);
    await bob.until(async () => (await bob.info(workspace))?.tools.length === 2);
    await bob.api.post(workspace, chat!, 'here already');
    assert.deepEqual(
      (await bob.api.joins()).map(({ state }) => state),
      ['copying'],
    );
    await bob.api.cancelJoin(workspace);
    assert.deepEqual(await bob.api.joins(), []);
    bob.isLost = () => false;
    await bob.close();
    await bob.open();
    await house.converged(workspace, alice, bob);
    assert.equal((await bob.api.chat(workspace, chat!, { limit: 9 })).posts[0]!.text, 'here already');
  });

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
    const padded = encode([FORMAT + 1, 'from next year', randomBytes(64)]);
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

describe('Taken out before the copy has come', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let workspace: string;
  let anew: ReturnType<typeof twice>;

  beforeEach(async () => {
    house = await House.build();
    anew = twice();
    alice = await house.move('Alice', anew);
    bob = await house.move('Bob');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
  });
  afterEach(() => house.close());

  const invite = (by: Person, uses = 1, expiresInMs = 60_000) =>
    by.api.invite(workspace, { role: 'participant', expiresInMs, uses, confirm: false, scheme: 'vscode' });

  const accountOf = async (person: Person) => (await person.api.identity()).account;
  const deviceOf = async (person: Person) => (await person.api.identity()).device;

  /** Of what is sent to him only what is under the invitation's seal gets through. */
  async function letInAlone(person: Person, link: string): Promise<void> {
    const read = readInvitation(nodeCrypto(), link);
    assert.ok(read.ok);
    const { tag } = invitationKeys(nodeCrypto(), read.value.secret).seal;
    person.isLost = ({ bytes }) => envelopeTag(bytes) !== tag;
    const copying = person.next((e) => e.type === 'join' && e.join.state === 'copying');
    await person.api.acceptInvitation(link);
    await copying;
  }

  /** He is heard of no more till the keys that he was given are erased (K4), and hears everything again when he is back. */
  async function awayWhile(person: Person, takesOut: () => Promise<unknown>): Promise<JoinInfo> {
    await person.close();
    // An ack is written once a minute, and now it is a minute later.
    alice.aheadMs = 120_000;
    await takesOut();
    await anew.done;
    person.isLost = () => false;
    const ended = outcome(person);
    await person.open();
    return ended;
  }

  async function outcome(person: Person): Promise<JoinInfo> {
    const ended = ['done', 'refused', 'failed'];
    const event = await person.next((e) => e.type === 'join' && ended.includes(e.join.state));
    assert.ok(event.type === 'join');
    return event.join;
  }

  async function keepsNothing(person: Person): Promise<void> {
    assert.deepEqual(await person.api.joins(), []);
    assert.deepEqual(await person.api.workspaces(), []);
    assert.deepEqual(await person.api.closed(), []);
    await person.close();
    assert.deepEqual(await person.kept(workspace), []);
    await person.open();
  }

  it('N4 K4 a person who was removed is told so, and nothing of it stays; by a new invitation he comes in', async () => {
    const { link } = await invite(alice, 5);
    await letInAlone(bob, link);
    const bobs = await accountOf(bob);
    const { state, reason } = await awayWhile(bob, () => alice.api.removeMember(workspace, bobs));
    assert.deepEqual([state, reason], ['refused', 'takenOut']);
    await keepsNothing(bob);
    // Nor does he come in again by what there was when he was taken out.
    const again = outcome(bob);
    await bob.api.acceptInvitation(link);
    assert.equal((await again).reason, 'takenOut');
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
  });

  it('N4 L7 an invited device that was dropped is let in again by whoever it asks', async () => {
    await letInAlone(bob, (await invite(alice)).link);
    const bobs = await deviceOf(bob);
    const { state } = await awayWhile(bob, () => alice.api.dropDevices(workspace, [bobs]));
    assert.equal(state, 'done');
    await bob.api.post(workspace, (await bob.tools(workspace))[1]!, 'here');
    await house.converged(workspace, alice, bob);
  });

  it('N4 one who is in gets the copy all the same', async () => {
    await letInAlone(bob, (await invite(alice)).link);
    await bob.close();
    bob.isLost = () => false;
    const ended = outcome(bob);
    await bob.open();
    assert.equal((await ended).state, 'done');
    await house.converged(workspace, alice, bob);
  });

  it('N3 N4 who was let in by somebody who was out by then is let in anew, where the invitation is good still', async () => {
    const carol = await house.move('Carol');
    await house.join(alice, carol, workspace, { confirm: false });
    await alice.api.setRole(workspace, await accountOf(carol), 'manager');
    await carol.until(async () => (await carol.info(workspace)).role === 'manager');
    const { link } = await invite(carol);
    await carol.api.post(workspace, (await carol.tools(workspace))[1]!, 'I have invited Bob');
    await house.converged(workspace, alice, carol);
    // Neither hears the other, and Bob is not heard by Alice.
    const [alices, carols] = [await deviceOf(alice), await deviceOf(carol)];
    carol.isLost = ({ from }) => from === alices;
    const bobs = await deviceOf(bob);
    alice.isLost = ({ from }) => from === carols || from === bobs;
    await letInAlone(bob, link);
    await bob.close();
    await alice.api.removeMember(workspace, await accountOf(carol));
    for (const person of [alice, carol, bob]) person.isLost = () => false;
    await carol.close();
    const ended = outcome(bob);
    await bob.open();
    assert.equal((await ended).state, 'done');
    await house.converged(workspace, alice, bob);
  });

  it('N4 L6 another who says that he is in gives the copy where the first gives none, by relay alone', async () => {
    await house.startRelay();
    for (const person of [alice, bob]) await person.close();
    for (const person of [alice, bob]) await person.open({ direct: false });
    const carol = await house.move('Carol', { direct: false });
    await house.join(alice, carol, workspace, { confirm: false });
    await alice.api.setRole(workspace, await accountOf(carol), 'manager');
    await carol.until(async () => (await carol.info(workspace)).role === 'manager');
    await carol.api.post(workspace, (await carol.tools(workspace))[1]!, 'before');
    await house.converged(workspace, alice, carol);
    const { link } = await invite(carol);
    await alice.close();
    await letInAlone(bob, link);
    const fromCarol = bob.isLost;
    const carols = await deviceOf(carol);
    bob.isLost = (arrived) => arrived.from === carols && fromCarol(arrived);
    const ended = outcome(bob);
    await alice.open({ direct: false });
    assert.equal((await ended).state, 'done');
    await house.converged(workspace, alice, bob);
  });

  it('K2 who hears the word of it in his copy is told by that, and the join is over', async () => {
    await letInAlone(bob, (await invite(alice)).link);
    await alice.api.removeMember(workspace, await accountOf(bob));
    await bob.close();
    bob.isLost = () => false;
    const ended = outcome(bob);
    await bob.open();
    assert.equal((await ended).state, 'failed');
    await bob.notice('removed');
    assert.deepEqual(await bob.api.joins(), []);
  });
});

describe('A copy that does not come', () => {
  const MINUTE_MS = 60_000;
  const DAY_MS = 24 * 60 * MINUTE_MS;
  const crypto = nodeCrypto(seededRandom('does not come'));
  const [self, sponsor, other] = ['Bob', 'Alice', 'Mallory'].map((name) => makePerson(crypto, name, 1).devices[0]!);
  const routes = [sponsor!, other!].map(({ device }) => ({ device, relay: undefined, addresses: [] }));
  let now: number;
  let alarms: { at: number; ring: () => void }[];
  let asked: number;
  let told: JoinInfo[];
  let workspace: { replica: { size: number } };
  let joining: Joining;

  function pass(ms: number): void {
    now += ms;
    for (const alarm of alarms.filter(({ at }) => at <= now)) {
      alarms.splice(alarms.indexOf(alarm), 1);
      alarm.ring();
    }
  }

  const hub = {
    ...{ crypto, identity: self, displayName: () => 'Bob', relay: () => undefined, changed: () => undefined },
    transport: { listening: [], relayState: { state: 'off' }, send: () => ++asked > 0 },
    emit: (event: { join: JoinInfo }) => void told.push(event.join),
    clock: {
      now: () => now,
      wakeAt: (at: number, ring: () => void) => {
        const alarm = { at, ring };
        alarms.push(alarm);
        return () => void (alarms = alarms.filter((one) => one !== alarm));
      },
    },
  } as unknown as Hub;

  beforeEach(() => {
    [now, alarms, asked, told] = [0, [], 0, []];
    const invitation: Invitation = {
      ...{ workspace: '0a'.repeat(32) as WorkspaceId, invite: '0b'.repeat(32) as DeltaId, workspaceName: 'Apollo' },
      ...{ inviterName: 'Alice', inviter: sponsor!.account, role: Role.guest, expires: 7 * DAY_MS },
      ...{ secret: crypto.randomBytes(32), routes },
    };
    joining = new Joining(hub, invitation, () => undefined);
    workspace = { replica: { size: 0 } };
    Object.assign(workspace, {
      ...{ engine: { isOutside: false }, exchange: { lackingBytes: 0 }, lackingChunks: 0 },
      roster: { devices: new Map() },
    });
    joining.copying(workspace as unknown as SharedWorkspace, sponsor!.certificate);
  });

  it('N4 is asked for again when nothing has come for a minute, and not while it comes', () => {
    pass(MINUTE_MS / 2);
    workspace.replica.size = 1;
    joining.progressed();
    pass(MINUTE_MS / 2);
    assert.deepEqual([asked, joining.info().state], [0, 'copying']);
    pass(MINUTE_MS / 2);
    assert.deepEqual([asked, joining.info().state], [2, 'asking']);
    workspace.replica.size = 2;
    joining.progressed();
    assert.equal(joining.info().state, 'copying');
    pass(MINUTE_MS / 2);
    assert.equal(asked, 2, 'no more');
  });

  it('N4 F3 is over when content that it names has not come for a minute: nobody may have it, or ever have had', () => {
    const copy = workspace as unknown as { lackingChunks: number; roster: { devices: Map<unknown, unknown> } };
    copy.roster.devices.set(self!.device, {});
    copy.lackingChunks = 3;
    assert.equal(joining.progressed(), false);
    pass(MINUTE_MS / 2);
    copy.lackingChunks = 1;
    assert.equal(joining.progressed(), false);
    pass(MINUTE_MS / 2);
    workspace.replica.size = 7; // something else goes on all the time
    assert.equal(joining.progressed(), false);
    told.length = 0;
    pass(MINUTE_MS);
    assert.ok(told.length > 0, 'it is looked at again by itself');
    assert.equal(joining.progressed(), true);
    assert.equal(joining.info().state, 'done');
    assert.equal(alarms.length, 0);
  });

  it('N4 F3 nor is its person kept waiting for either by a clock that is set back', () => {
    now = 60 * MINUTE_MS;
    workspace.replica.size = 1;
    joining.progressed();
    now = 1_000;
    for (const { ring } of alarms.splice(0)) ring();
    assert.deepEqual([asked, joining.info().state], [2, 'asking']);
    now = 60 * MINUTE_MS;
    const copy = workspace as unknown as { lackingChunks: number; roster: { devices: Map<unknown, unknown> } };
    copy.roster.devices.set(self!.device, {});
    copy.lackingChunks = 3;
    assert.equal(joining.progressed(), false);
    now = 1_000;
    assert.equal(joining.progressed(), false, 'it may be coming');
    pass(MINUTE_MS);
    assert.equal(joining.progressed(), true);
  });

  it('N4 of a copy that comes nobody may say that it does not', () => {
    assert.equal(joining.declined(sponsor!.device, DeclineReason.takenOut), false);
    assert.equal(joining.info().state, 'copying');
  });

  it('N4 who has let somebody in may say that he is out, and nobody else before the invitation has expired', () => {
    pass(MINUTE_MS);
    for (const reason of Object.values(DeclineReason)) assert.equal(joining.declined(other!.device, reason), false);
    assert.deepEqual([joining.info().state, joining.info().reason], ['asking', 'takenOut'], 'it is shown');
    pass(7 * DAY_MS);
    assert.equal(joining.declined(other!.device, DeclineReason.used), false, 'he may not have heard of him yet');
    assert.equal(joining.declined(sponsor!.device, DeclineReason.unknown), false, 'another may let him in');
    assert.equal(joining.declined(other!.device, DeclineReason.takenOut), true);
    assert.deepEqual([joining.info().state, joining.info().reason], ['refused', 'takenOut']);
  });

  it('N4 nor by saying first that he is in', () => {
    pass(MINUTE_MS);
    joining.copying(workspace as unknown as SharedWorkspace, other!.certificate);
    pass(MINUTE_MS);
    assert.equal(joining.declined(other!.device, DeclineReason.takenOut), false);
    assert.equal(joining.declined(sponsor!.device, DeclineReason.takenOut), true);
  });
});

describe('A copy on its way', () => {
  const crypto = nodeCrypto(seededRandom('on its way'));
  const { device, account, certificate, agreementSecret } = makePerson(crypto, 'Carol', 1).devices[0]!;
  const told: unknown[] = [];
  const hub = {
    ...{ crypto, identity: { device, account }, displayName: () => 'Carol' },
    clock: { now: () => now, wakeAt: () => () => undefined },
    emit: (event: unknown) => void told.push(event),
  } as unknown as Hub;
  let now = 0;

  it('I4 L7 has not come whole before the word that lets this device in again, though an older one is in it', () => {
    const word = {
      kind: 'workspace',
      workspace: '0a'.repeat(32) as WorkspaceId,
      name: 'Apollo',
      admit: new Uint8Array(),
      total: 1,
    } as const;
    const joining = Joining.letIn(hub, word, { device, relay: undefined, addresses: [] }, () => undefined);
    const engine = { isOutside: true, basePartsHere: undefined };
    const replica = { size: 1 };
    const devices = new Map([[device, {}]]);
    const copy = {
      ...{ engine, replica, exchange: { lackingBytes: 0 }, lackingChunks: 0, isGoing: false },
      roster: { devices },
    };
    const workspace = copy as unknown as SharedWorkspace;
    joining.copying(workspace, certificate);
    assert.equal(joining.progressed(), false);
    assert.equal(joining.ended, false);
    // Nor is what is there of its having been out before any news.
    const [drop, remove] = ['drop', 'remove'].map((kind) => ({ delta: { kind } }) as Node) as [Node, Node];
    const isComing = () => [drop, remove].map((one) => joining.isComingInto(workspace, one));
    assert.deepEqual(isComing(), [true, true]);
    engine.isOutside = false;
    devices.clear();
    assert.deepEqual(isComing(), [true, false], 'that it is in again may be right behind the drop');
    now += 60_000;
    assert.deepEqual(isComing(), [false, false]);
    replica.size++;
    assert.deepEqual(isComing(), [true, false], 'more has come, and is not counted yet');
    devices.set(device, {});
    copy.isGoing = true;
    assert.equal(
      joining.progressed(),
      false,
      'as long as it is being closed for what took the device out, nobody can write in it',
    );
    copy.isGoing = false;
    assert.ok(joining.progressed());
    assert.ok(joining.ended);
    assert.deepEqual(isComing(), [false, false]);
    assert.equal(told.length, 4);
  });

  it('D2 N4 is over when a copy from before has heard what it lacks, and takes nothing of that along where it is given up', () => {
    const word = {
      kind: 'workspace',
      ...{ workspace: '0a'.repeat(32) as WorkspaceId, name: 'Apollo', admit: new Uint8Array(), total: 1 },
    } as const;
    const joining = Joining.letIn(hub, word, { device, relay: undefined, addresses: [] }, () => undefined);
    const copy = {
      ...{
        engine: { isOutside: false, basePartsHere: undefined },
        replica: { size: 1 },
        roster: { devices: new Map() },
      },
      ...{ exchange: { lackingBytes: 0 }, lackingChunks: 0, isGoing: false, awaitsWord: true, isFromBefore: true },
    };
    const workspace = copy as unknown as SharedWorkspace;
    joining.copying(workspace, certificate);
    assert.deepEqual([joining.hasBegun(workspace), joining.isOnlyComing(workspace)], [false, false]);
    copy.isFromBefore = false;
    assert.deepEqual([joining.hasBegun(workspace), joining.isOnlyComing(workspace)], [true, true]);
    copy.isFromBefore = true;
    copy.roster.devices.set(device, {});
    assert.equal(joining.progressed(), false);
    copy.awaitsWord = false;
    assert.ok(joining.progressed());
    assert.ok(joining.ended);
  });

  it('N4 K2 comes of each who says that this device is in, whatever is there of its having been out before', async () => {
    const doors = ['Alice', 'Bob'].map((name) => makePerson(crypto, name, 1).devices[0]!);
    const { agreementKey } = certificate;
    const invitation: Invitation = {
      ...{ workspace: '0a'.repeat(32) as WorkspaceId, invite: '0b'.repeat(32) as DeltaId, workspaceName: 'Apollo' },
      ...{ inviterName: 'Alice', inviter: doors[0]!.account, role: Role.guest, expires: 1 },
      ...{ secret: crypto.randomBytes(32), routes: [] },
    };
    const { workspace: id, invite } = invitation;
    const routes = doors.map((door) => ({ device: door.device, relay: undefined, addresses: [] }));
    const sponsors: DeviceId[][] = [];
    let expulsion: unknown;
    const copy = {
      ...{ id, engine: { isOutside: true }, replica: { size: 1 }, exchange: { lackingBytes: 0 }, lackingChunks: 0 },
      ...{ roster: { devices: new Map() }, keyring: { remember: () => undefined } },
      sponsored: (by: KnownDevice[]) => sponsors.push(by.map((one) => one.certificate.device)),
      get expulsion() {
        return expulsion;
      },
    };
    const nothing = () => undefined;
    const joins = new Joins({
      hub: {
        ...hub,
        ...{
          identity: { device, account, certificate, agreementSecret, signer: { device, seed: crypto.randomBytes(32) } },
        },
        ...{ relay: nothing, toGo: nothing, commit: nothing, transport: { listening: [], send: nothing } },
        local: { put: nothing, get: nothing },
      },
      workspaces: { get: () => ({ workspace: copy }) },
      ...{ apply: nothing, erasing: nothing },
    } as unknown as JoinsOptions);
    await joins.accept({ ...invitation, routes }, '');
    for (const { device: by, signer, certificate: shown } of doors) {
      const epoch = boxEpoch(crypto, epochOf(crypto, crypto.randomBytes(32)), [{ device, agreementKey }]);
      const body = controlBody.admit(account, Role.guest, 'Carol', [certificate], invite, epoch);
      const place = { generation: 0, seq: 1, prev: undefined, deps: [], credential: undefined, time: 0 };
      const admit = signDelta(crypto, signer, id, { ...place, tool: undefined, kind: 'admit', body }).bytes;
      await joins.answered(id, by, { kind: 'welcome', admit, total: 1, certificate: shown.bytes });
      expulsion = { delta: { kind: 'removeDevice' } };
    }
    const [alice, bob] = doors.map((door) => door.device);
    assert.deepEqual(sponsors, [[alice], [alice, bob]]);
  });
});
