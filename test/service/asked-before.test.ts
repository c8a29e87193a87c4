/** N2, L7: an asking that somebody on the way has kept, a relay's operator say, and plays again. Real stores and sockets. */
import assert from 'node:assert/strict';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { invitationKeys, readInvitation } from '../../src/sync/invitation.ts';
import type { Arrived } from '../../src/sync/ports.ts';
import { openSaid } from '../../src/sync/signed.ts';
import { House, type Person } from './house.ts';

const crypto = nodeCrypto();

describe('An asking that is played again', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let workspace: string;
  let chat: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    chat = (await alice.tools(workspace))[1]!;
  });
  afterEach(() => house.close());

  const deviceOf = async (person: Person) => (await person.api.identity()).device;
  const accountOf = async (person: Person) => (await person.api.identity()).account;
  const isMember = async (by: Person, name: string) =>
    (await by.info(workspace)).members.some((member) => member.name === name);

  const invite = async (by: Person, options: { confirm?: boolean; uses?: number } = {}) => {
    const { link } = await by.api.invite(workspace, {
      ...{ role: 'participant', expiresInMs: 60_000, scheme: 'vscode' },
      ...{ uses: options.uses ?? 9, confirm: options.confirm ?? false },
    });
    return link;
  };

  /** What comes to somebody under the seal of an invitation, kept for later. */
  function keeping(person: Person, link: string): Arrived[] {
    const read = readInvitation(crypto, link);
    assert.ok(read.ok);
    const { seal } = invitationKeys(crypto, read.value.secret);
    const kept: Arrived[] = [];
    person.isLost = (arrived) => {
      const said = envelopeTag(arrived.bytes) === seal.tag ? openSaid(crypto, seal, arrived) : undefined;
      if (said?.message?.kind === 'join') kept.push(arrived);
      return false;
    };
    return kept;
  }

  /** What comes from somebody, kept for later, of whatever kind. */
  async function keepingAll(person: Person, from: Person): Promise<Arrived[]> {
    const kept: Arrived[] = [];
    const device = await deviceOf(from);
    person.isLost = (arrived) => {
      if (arrived.from === device) kept.push(arrived);
      return false;
    };
    return kept;
  }

  async function comesIn(person: Person, link: string): Promise<void> {
    const ended = person.next((e) => e.type === 'join' && ['done', 'refused', 'failed'].includes(e.join.state));
    await person.api.acceptInvitation(link);
    const event = await ended;
    assert.ok(event.type === 'join');
    assert.equal(event.join.state, 'done');
  }

  async function leaves(person: Person, ...others: readonly Person[]): Promise<void> {
    await person.api.leaveWorkspace(workspace);
    await person.until(async () => (await person.info(workspace)) === undefined);
    for (const other of others) await other.until(async () => !(await isMember(other, person.name)));
  }

  async function play(to: Person, kept: readonly Arrived[]): Promise<void> {
    assert.ok(kept.length > 0);
    for (const arrived of [...kept]) await to.hears(arrived);
  }

  it('N2 N4 while he is in he is answered as before, and nothing is written', async () => {
    const link = await invite(alice);
    const kept = keeping(alice, link);
    await comesIn(bob, link);
    await house.converged(workspace, alice, bob);
    const written = alice.records.length;
    await play(alice, kept);
    assert.equal(alice.records.length, written);
    await house.converged(workspace, alice, bob);
  });

  it('N2 A7 does not let in who has left since; he himself may come back by the same invitation, and leave again', async () => {
    const link = await invite(alice);
    const kept = keeping(alice, link);
    for (let i = 0; i < 3; i++) {
      await comesIn(bob, link);
      await house.converged(workspace, alice, bob);
      await leaves(bob, alice);
      await play(alice, kept);
      assert.equal(await isMember(alice, 'Bob'), false);
      assert.deepEqual(await bob.api.joins(), []);
    }
  });

  it('N2 N5 asks nobody about who has left since; about himself, where he comes, once, over a start, too', async () => {
    const link = await invite(alice, { confirm: true });
    const kept = keeping(alice, link);
    const accepted = async () => {
      await alice.until(async () => (await alice.api.joinRequests()).length > 0);
      const requests = await alice.api.joinRequests();
      assert.equal(requests.length, 1);
      await alice.close();
      await alice.open();
      assert.deepEqual(await alice.api.joinRequests(), requests);
      await alice.api.answerJoin(requests[0]!.id, true);
    };
    await Promise.all([comesIn(bob, link), accepted()]);
    await leaves(bob, alice);
    await play(alice, kept);
    assert.deepEqual(await alice.api.joinRequests(), []);
    await Promise.all([comesIn(bob, link), accepted()]);
    await leaves(bob, alice);
    await play(alice, kept);
    assert.deepEqual(await alice.api.joinRequests(), []);
  });

  it('N4 N5 who asks is not refused by what another was told who had asked by the same link', async () => {
    const carol = await house.move('Carol');
    const link = await invite(alice, { confirm: true });
    const kept = await keepingAll(bob, alice);
    const asked = () => alice.until(async () => (await alice.api.joinRequests()).length === 1);
    const refused = bob.next((e) => e.type === 'join' && e.join.state === 'refused');
    await bob.api.acceptInvitation(link);
    await asked();
    await alice.api.answerJoin((await alice.api.joinRequests())[0]!.id, false);
    await refused;

    const joined = comesIn(carol, link);
    await asked();
    await play(carol, kept);
    assert.equal((await carol.api.joins())[0]!.state, 'waiting');
    await alice.api.answerJoin((await alice.api.joinRequests())[0]!.id, true);
    await joined;
  });

  it('N2 N5 of a question that was open when he left, and had been let in by another, nothing is left', async () => {
    const carol = await house.move('Carol');
    await house.join(alice, carol, workspace, { confirm: false });
    await alice.api.setRole(workspace, await accountOf(carol), 'manager');
    await carol.until(async () => (await carol.info(workspace)).role === 'manager');
    const link = await invite(alice, { confirm: true });
    await house.converged(workspace, alice, carol);
    const joined = comesIn(bob, link);
    for (const one of [alice, carol]) await one.until(async () => (await one.api.joinRequests()).length === 1);
    const [request] = await alice.api.joinRequests();
    await carol.api.answerJoin((await carol.api.joinRequests())[0]!.id, true);
    await joined;
    await house.converged(workspace, alice, bob, carol);
    await leaves(bob, alice, carol);
    assert.deepEqual(await alice.api.joinRequests(), []);
    await assert.rejects(alice.api.answerJoin(request!.id, true), { code: 'notFound' });
    assert.equal(await isMember(alice, 'Bob'), false);
  });

  it('N2 K2 does not let in who was removed, also where he was invited anew since, and has left', async () => {
    const first = await invite(alice);
    const kept = keeping(alice, first);
    await comesIn(bob, first);
    await house.converged(workspace, alice, bob);
    await alice.api.removeMember(workspace, await accountOf(bob));
    await bob.until(async () => (await bob.info(workspace)) === undefined);
    await play(alice, kept);
    assert.equal(await isMember(alice, 'Bob'), false);
    const second = await invite(alice);
    const ofSecond = keeping(alice, second);
    await comesIn(bob, second);
    await house.converged(workspace, alice, bob);
    await leaves(bob, alice);
    await play(alice, kept);
    await play(alice, ofSecond);
    assert.equal(await isMember(alice, 'Bob'), false);
  });

  it('N2 N3 nor does another who may invite, after a start neither', async () => {
    const carol = await house.move('Carol');
    await house.join(alice, carol, workspace, { confirm: false });
    await alice.api.setRole(workspace, await accountOf(carol), 'manager');
    await carol.until(async () => (await carol.info(workspace)).role === 'manager');
    const link = await invite(alice);
    await house.converged(workspace, alice, carol);
    // Both are asked in the same words, and Alice hears it first.
    const kept = keeping(alice, link);
    const bobs = await deviceOf(bob);
    carol.isLost = ({ from }) => from === bobs;
    await comesIn(bob, link);
    await house.converged(workspace, alice, bob);
    carol.isLost = () => false;
    await leaves(bob, alice, carol);
    await carol.close();
    await carol.open();
    await play(carol, kept);
    assert.equal(await isMember(carol, 'Bob'), false);
    // And he himself comes back by whoever hears him.
    await alice.close();
    await comesIn(bob, link);
    await house.converged(workspace, bob, carol);
  });

  it('N2 who comes back restarts while he asks, and goes on', async () => {
    const link = await invite(alice);
    await comesIn(bob, link);
    await leaves(bob, alice);
    const kept = keeping(alice, link);
    const note = alice.isLost;
    const asked = new Promise<void>((resolve) => {
      alice.isLost = (arrived) => {
        note(arrived);
        if (kept.length > 1) resolve();
        return kept.length > 1;
      };
    });
    await bob.api.acceptInvitation(link);
    await asked;
    await bob.close();
    alice.isLost = () => false;
    await bob.open();
    await bob.until(async () => (await bob.info(workspace))?.state === 'open');
    await house.converged(workspace, alice, bob);
  });

  it('N2 D1 who asks to come back while his copy is to be handed on still, and restarts, is not forgotten with that', async () => {
    const link = await invite(alice);
    await comesIn(bob, link);
    await house.converged(workspace, alice, bob);
    const bobs = await deviceOf(bob);
    // Nobody has his leave yet, so the copy stays.
    alice.isLost = ({ from }) => from === bobs;
    await bob.api.leaveWorkspace(workspace);
    await bob.api.acceptInvitation(link);
    await bob.close();
    await bob.open();
    alice.isLost = () => false;
    await bob.until(async () => (await bob.info(workspace))?.state === 'open' && (await isMember(bob, 'Bob')));
    await house.converged(workspace, alice, bob);
    assert.deepEqual(await bob.api.joins(), []);
  });

  it('L7 does not let in again what was dropped once more, neither the way back nor the invitation that it came by', async () => {
    const link = await invite(alice);
    const joins = keeping(alice, link);
    await comesIn(bob, link);
    await bob.api.post(workspace, chat, 'here');
    await house.converged(workspace, alice, bob);
    const bobs = await deviceOf(bob);
    const isBack = async () => {
      await bob.until(async () => (await bob.info(workspace))?.state === 'open');
      await house.converged(workspace, alice, bob);
    };
    const isOut = async () => {
      await bob.until(async () => (await bob.info(workspace)) === undefined && (await bob.api.closed()).length === 1);
      const { devices } = (await alice.info(workspace)).members.find(({ name }) => name === 'Bob')!;
      assert.deepEqual(
        devices.map(({ standing }) => standing),
        ['dropped'],
      );
    };
    await alice.api.dropDevices(workspace, [bobs]);
    await isOut();
    await play(alice, joins);
    await isOut();
    const returns = await keepingAll(alice, bob);
    await bob.api.fetchAgain(workspace);
    await isBack();
    alice.isLost = () => false;
    await alice.api.dropDevices(workspace, [bobs]);
    await isOut();
    await play(alice, [...joins, ...returns]);
    await isOut();
    await bob.api.fetchAgain(workspace);
    await isBack();
  });
});
