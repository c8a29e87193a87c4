/** L7: what a device has not acknowledged, whom a drop takes out, and the seal under which it asks to come back. */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { pairSeal } from '../../src/sync/device-link.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { returnSeal } from '../../src/sync/way-back.ts';
import { Team, type Copy } from './team.ts';

const ack = (copy: Copy) => copy.control('ack', controlBody.ack());
const arrivalOf = (copy: Copy, id: ReturnType<typeof ack>) => copy.replica.node(id)!.arrival;

describe('L7 what holds back the log', () => {
  it('L7 is the first delta that a device has not acknowledged; acks are waited for by nobody', () => {
    const team = new Team('held back');
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    for (const copy of [bob, carol]) alice.meet(copy);
    for (const copy of [bob, carol]) ack(copy);
    for (const copy of [bob, carol]) alice.meet(copy);
    const { device } = carol.person;
    assert.equal(alice.replica.people.heldBackFrom(device), undefined);
    ack(alice);
    alice.meet(bob);
    ack(bob);
    alice.meet(bob);
    assert.equal(alice.replica.people.heldBackFrom(device), undefined, 'acks of others alone');
    const first = bob.post('first');
    bob.post('second');
    alice.meet(bob);
    const later = alice.post('later');
    assert.equal(alice.replica.people.heldBackFrom(device), arrivalOf(alice, first));
    assert.equal(alice.replica.people.heldBackFrom(bob.person.device), arrivalOf(alice, later));
    carol.meet(bob);
    assert.equal(alice.replica.people.heldBackFrom(device), arrivalOf(alice, first), 'held is not acknowledged');
    ack(carol);
    alice.meet(carol);
    assert.equal(alice.replica.people.heldBackFrom(device), arrivalOf(alice, later));
  });

  it('L7 of who has never written it begins with what let him in', () => {
    const team = new Team('never here');
    const alice = team.founder;
    alice.post('long ago');
    const carol = team.person('Carol');
    const admit = alice.admit(carol);
    assert.equal(alice.replica.people.heldBackFrom(carol.device), undefined);
    const post = alice.post('since');
    assert.ok(arrivalOf(alice, post) > arrivalOf(alice, admit));
    // Her own admission is no more than she has been told of.
    assert.equal(alice.replica.people.heldBackFrom(carol.device), arrivalOf(alice, post));
    assert.equal(alice.replica.people.heldBackFrom('00'.repeat(32) as DeviceId), undefined);
  });

  it('L4 L7 begins with a feed that lacks a control delta in the base, whatever it acknowledges since (world “rough-gg.11600”)', () => {
    const team = new Team('upon less');
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    const carol = team.person('Carol');
    alice.remove(bob.person);
    const letIn = alice.admit(carol);
    alice.replica.advance();
    const credential = bob.admit(carol);
    const begins = team.forge(carol, { seq: 1, deps: [credential], credential });
    for (const delta of [begins, bob.replica.node(credential)!.delta]) alice.hearRuns([delta]);
    assert.ok(arrivalOf(alice, begins.id) > arrivalOf(alice, letIn));
    assert.equal(alice.replica.people.heldBackFrom(carol.device), arrivalOf(alice, begins.id));
    const knows = team.forge(carol, { seq: 2, prev: begins.id, deps: [letIn], credential });
    alice.hearRuns([knows]);
    assert.equal(alice.replica.people.heldBackFrom(carol.device), undefined);
  });

  it('L4 L7 who is dropped holds back nothing, is remembered by how he is reached, and counts anew when he is let in again', () => {
    const team = new Team('dropped');
    const alice = team.founder;
    const carol = team.join('Carol');
    alice.meet(carol);
    ack(carol);
    alice.meet(carol);
    const { device, account, certificate } = carol.person;
    const post = alice.post('Carol does not hear it');
    ack(alice);
    assert.deepEqual(alice.replica.advance().folded, []);
    assert.equal(alice.replica.people.wasDropped(device), false);
    alice.control('drop', controlBody.devices([device], boxEpoch(team.crypto, team.epoch, [])));
    assert.equal(alice.replica.roster.members.has(account), true);
    assert.deepEqual(alice.replica.roster.goneRecords.get(device)!.certificate.bytes, certificate.bytes);
    assert.equal(alice.replica.people.wasDropped(device), true);
    assert.equal(alice.replica.people.heldBackFrom(device), undefined);
    ack(alice);
    assert.deepEqual(
      alice.replica.advance().folded.map(({ node }) => node.delta.id),
      [post],
    );
    const back = alice.control(
      'addDevice',
      controlBody.addDevice(account, [certificate], boxEpoch(team.crypto, team.epoch, [certificate])),
    );
    assert.equal(alice.replica.roster.goneRecords.has(device), false);
    assert.equal(alice.replica.people.wasDropped(device), true, 'it may not have heard that it is in');
    // What it lacks of the time before is not counted against it.
    const from = alice.replica.people.heldBackFrom(device);
    assert.equal(from, arrivalOf(alice, back));
    assert.ok(alice.replica.vector().has(feedOf(device, 0)));
  });
});

describe('L7 the seal of a return', () => {
  it('L7 is the same from either side, and another for each workspace, pair and purpose', () => {
    const team = new Team('seal');
    const { crypto } = team;
    const make = () => {
      const agreementSecret = crypto.randomBytes(32);
      const device = toHex(crypto.randomBytes(32)) as DeviceId;
      return { device, agreementSecret, agreementKey: crypto.agreementKeyOf(agreementSecret) };
    };
    const [a, b, c] = [make(), make(), make()];
    const [here, there] = ['11', '22'].map((byte) => byte.repeat(32) as WorkspaceId) as [WorkspaceId, WorkspaceId];
    const seal = returnSeal(crypto, here, a, b)!;
    assert.deepEqual(returnSeal(crypto, here, b, a), seal);
    const others = [returnSeal(crypto, there, a, b), returnSeal(crypto, here, a, c), pairSeal(crypto, a, b)];
    assert.equal(new Set([seal, ...others].map((one) => one!.tag)).size, 4);
    assert.equal(returnSeal(crypto, here, a, { ...b, agreementKey: new Uint8Array(32) }), undefined);
  });
});
