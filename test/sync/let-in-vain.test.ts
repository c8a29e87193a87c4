/** K2, A4: whom somebody has let in who was out himself, and had not heard it: world “rough-a.16”. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { Delta, DeltaPlace } from '../../src/sync/delta.ts';
import { threePeople, type Desk, type Office } from './office.ts';
import { Person } from './team.ts';

interface Scene {
  readonly office: Office;
  readonly alice: Desk;
  readonly bob: Desk;
  readonly carol: Desk;
  readonly dave: Desk;
  readonly admit: Delta;
  /** Alice's, by which Bob is out. */
  readonly word: Delta;
}

/** Bob is removed while he is away, and lets Dave in. Carol is a manager, and away, too. */
function letInByBob(seed: string): Scene {
  const three = threePeople(seed);
  const { office, alice, bob, carol } = three;
  office.link(alice, bob, carol);
  alice.control('setRole', controlBody.setRole(carol.person.account, Role.manager));
  office.pump();
  for (const desk of [alice, bob, carol]) office.leave(desk);
  alice.remove(bob);
  const { dave, admit } = letIn(office, bob, 'Dave');
  return { ...three, dave, admit, word: lastOf(alice) };
}

/** Somebody new, with all that his sponsor has. */
function letIn(
  office: Office,
  by: Desk,
  name: string,
  invite?: DeltaId,
): { readonly dave: Desk; readonly admit: Delta } {
  const person = office.team.person(name);
  by.admit(person, Role.participant, invite);
  const dave = office.open(person, by);
  office.leave(dave);
  tellAll(by, dave);
  assert.ok(dave.engine.replica.roster.devices.has(dave.device));
  return { dave, admit: lastOf(by) };
}

/** Another of a member's, with all that the one that lets it in has. */
function addDevice(office: Office, by: Desk, person: Person): Desk {
  const { account, device, certificate } = person;
  const box = by.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
  by.control('addDevice', controlBody.addDevice(account, [certificate], box));
  const desk = office.open(person, by);
  tellAll(by, desk);
  return desk;
}

function tellAll(by: Desk, to: Desk): void {
  for (const { delta } of [...by.engine.replica.nodes()]) to.hear(by, delta);
}

function lastOf({ engine, device }: Desk): Delta {
  return [...engine.replica.nodes()].findLast(({ delta }) => delta.device === device)!.delta;
}

const outBy = ({ engine }: Desk) => engine.expulsion?.delta.id;
const isIn = ({ engine, device }: Desk) => engine.replica.roster.devices.has(device);

/** Carol, who knows only what was there before, lets somebody in, too. */
function admitToo(carol: Desk, person: Person): Delta {
  carol.admit(person);
  return lastOf(carol);
}

describe('K2 A4 whom nobody has let in who could', () => {
  it('K2 A4 is out by what cuts off who has let it in (world “rough-a.16”)', () => {
    const { alice, bob, dave, admit, word } = letInByBob('let in vain');
    dave.post('in good faith');
    assert.equal(outBy(dave), undefined);
    dave.hear(alice, word);
    assert.equal(dave.engine.replica.verdictOf(admit.id), 'cutOff');
    assert.equal(isIn(dave), false);
    assert.equal(outBy(dave), word.id);
    assert.equal(dave.engine.wordOnSponsor?.delta.id, word.id);
    // Whom it names is out by it as ever.
    bob.hear(alice, word);
    assert.deepEqual([outBy(bob), bob.engine.wordOnSponsor], [word.id, undefined]);
    assert.deepEqual([outBy(alice), alice.engine.wordOnSponsor], [undefined, undefined]);
  });

  it('K2 A4 is out, too, where who has let it in was let in so himself', () => {
    const { office, alice, dave, word } = letInByBob('let in vain by another');
    const { dave: erin, admit } = letIn(office, dave, 'Erin');
    erin.hear(alice, word);
    assert.equal(erin.engine.replica.verdictOf(admit.id), 'noCredential');
    assert.equal(outBy(erin), word.id);
  });

  it('K2 A4 tells whom it has let in itself', () => {
    const { office, alice, bob, dave, word } = letInByBob('let in vain tells');
    const { dave: erin } = letIn(office, dave, 'Erin');
    const { dave: frank } = letIn(office, erin, 'Frank');
    // And whoever else was let in so.
    const { dave: grace } = letIn(office, bob, 'Grace');
    for (const by of [erin, bob]) tellAll(by, dave);
    office.arrive(dave);
    dave.hear(alice, word);
    for (const desk of [erin, frank]) {
      office.arrive(desk);
      office.link(dave, desk);
      assert.equal(outBy(desk), word.id);
    }
    office.arrive(grace);
    office.link(dave, grace);
    assert.equal(outBy(grace), word.id);
  });

  it('K2 A4 is out, too, where who has let it in could by a role that was given so', () => {
    const { office, alice, bob, carol } = threePeople('let in vain by a role');
    office.link(alice, bob, carol);
    alice.control('setRole', controlBody.setRole(carol.person.account, Role.manager));
    office.pump();
    for (const desk of [alice, bob, carol]) office.leave(desk);
    alice.remove(carol);
    carol.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    bob.hear(carol, lastOf(carol));
    const { dave, admit } = letIn(office, bob, 'Dave');
    dave.hear(alice, lastOf(alice));
    assert.equal(dave.engine.replica.verdictOf(admit.id), 'noCredential');
    assert.equal(outBy(dave), lastOf(alice).id);
  });

  it('K2 A4 is out likewise whom such a device of a member has let in, and that device itself', () => {
    const { office, alice, bob, carol } = threePeople('let in vain by its own');
    office.link(alice, bob, carol);
    const [phone, tablet] = [1, 2].map(() => new Person(office.team.crypto, 'Alice', alice.person));
    const first = addDevice(office, alice, phone!);
    office.pump();
    for (const desk of [alice, bob, carol, first]) office.leave(desk);
    alice.control('removeDevice', controlBody.devices([first.device], alice.engine.keys.make(new Set([first.device]))));
    const second = addDevice(office, first, tablet!);
    const { dave: erin } = letIn(office, second, 'Erin');
    for (const desk of [second, erin]) {
      desk.hear(alice, lastOf(alice));
      assert.equal(outBy(desk), lastOf(alice).id);
    }
    assert.ok(second.engine.replica.roster.members.has(second.person.account), 'her person is in it');
  });

  it('K2 A10 is in where a senior has given it a role meanwhile, whenever that comes', () => {
    const { alice, bob, carol, dave, word } = letInByBob('let in vain and vouched for');
    tellAll(bob, carol);
    carol.control('setRole', controlBody.setRole(dave.person.account, Role.guest));
    dave.hear(alice, word);
    assert.equal(outBy(dave), word.id, 'it is to be believed when nothing more comes');
    dave.hear(carol, lastOf(carol));
    assert.ok(isIn(dave));
    assert.equal(outBy(dave), undefined);
  });

  it('K2 N4 is in when another word that has let it in comes, which may never do (world “rough-y.979”)', () => {
    const { alice, bob, carol, dave, admit, word } = letInByBob('let in twice');
    const other: DeltaPlace = admitToo(carol, dave.person);
    dave.engine.sponsored([bob, carol], [admit, other]);
    dave.hear(alice, word);
    assert.equal(isIn(dave), false);
    assert.equal(outBy(dave), word.id, 'it is to be believed when nothing more comes');
    dave.hear(carol, lastOf(carol));
    assert.ok(isIn(dave));
    assert.equal(outBy(dave), undefined);
  });

  it('K2 D2 is not out before it has heard what its store lacks', () => {
    const { alice, dave, word } = letInByBob('let in vain and restored');
    dave.engine.awaitWord();
    dave.hear(alice, word);
    assert.equal(outBy(dave), undefined);
  });

  it('K2 D8 is not out while another word that lets it in is on a branch that others may have named', () => {
    const { office, alice, bob, carol, dave, word } = letInByBob('let in on a branch');
    dave.post('in good faith');
    const { seq, prev, deps, credential, id } = admitToo(carol, dave.person);
    const rival = office.team.forge(carol.person, { seq, prev, deps, credential, body: ['rival'] });
    alice.hear(carol, rival);
    alice.post('upon the rival');
    dave.hear(carol, lastOf(carol));
    for (const delta of [rival, word, lastOf(alice), rival]) dave.hear(alice, delta);
    assert.equal(dave.engine.replica.verdictOf(id), 'forked');
    assert.deepEqual([isIn(dave), outBy(dave)], [false, undefined]);
    // Bob, who is in for himself, has it in his past.
    bob.hear(carol, lastOf(carol));
    bob.post('upon the admission');
    dave.hear(bob, lastOf(bob));
    assert.ok(isIn(dave));
  });

  /** Carol may let in, too; she and Bob do not hear of each other. */
  function twoInviters(seed: string, uses: number) {
    const three = threePeople(seed);
    const { office, alice, bob, carol } = three;
    const [publicKey, sealKey] = [1, 2].map(() => office.team.crypto.randomBytes(32)) as [Uint8Array, Uint8Array];
    const expires = office.now + 3_600_000;
    alice.control('invite', controlBody.invite(publicKey, sealKey, Role.participant, expires, uses, false));
    const { id: invite } = lastOf(alice);
    office.link(alice, bob, carol);
    for (const desk of [alice, bob, carol]) office.leave(desk);
    return { ...three, invite };
  }

  it('N3 K2 is out whom an invitation lets in that somebody else has used up, and is told so by whoever has let him in', () => {
    const { office, bob, carol, invite } = twoInviters('used up', 1);
    const [dave, erin] = [letIn(office, bob, 'Dave', invite), letIn(office, carol, 'Erin', invite)];
    office.arrive(bob);
    office.arrive(carol);
    office.link(bob, carol);
    const [stands, out] =
      isIn(carol) && bob.engine.replica.verdictOf(dave.admit.id) === 'accepted' ? [dave, erin] : [erin, dave];
    assert.equal(bob.engine.replica.verdictOf(out.admit.id), 'invitation');
    const sponsor = out === dave ? bob : carol;
    assert.equal(outBy(out.dave), undefined);
    office.arrive(out.dave);
    office.link(sponsor, out.dave);
    assert.equal(outBy(out.dave), stands.admit.id);
    assert.equal(outBy(stands.dave), undefined);
  });

  it('A5 K2 is out whom somebody lets in from whom the right to is taken at the same time', () => {
    const { office, alice, bob } = twoInviters('right taken', 1);
    const { dave, admit } = letIn(office, bob, 'Dave');
    alice.control('setPerm', controlBody.setPerm('workspace', 'invite', Role.participant, false));
    tellAll(alice, bob);
    assert.equal(bob.engine.replica.verdictOf(admit.id), 'notPermitted');
    office.arrive(bob);
    office.arrive(dave);
    office.link(bob, dave);
    assert.equal(outBy(dave), lastOf(alice).id);
  });

  it('N3 K2 A4 is out whom an invitation lets in of somebody who was taken out, and had not heard it (world “rough-gg.10619”)', () => {
    const { office, alice, bob, carol } = threePeople('invited by who was out');
    office.link(alice, bob, carol);
    // Whose invitation is judged before what Bob does.
    alice.control('setRole', controlBody.setRole(carol.person.account, Role.manager));
    office.pump();
    office.leave(alice);
    const [publicKey, sealKey] = [1, 2].map(() => office.team.crypto.randomBytes(32)) as [Uint8Array, Uint8Array];
    const expires = office.now + 3_600_000;
    carol.control('invite', controlBody.invite(publicKey, sealKey, Role.participant, expires, 1, false));
    const { id: invite } = lastOf(carol);
    office.pump();
    for (const desk of [bob, carol]) office.leave(desk);
    const { dave, admit } = letIn(office, bob, 'Dave', invite);
    assert.equal(bob.engine.replica.verdictOf(admit.id), 'accepted');
    office.expire(bob);
    alice.remove(carol);
    tellAll(alice, bob);
    assert.equal(bob.engine.replica.verdictOf(invite), 'cutOff');
    assert.equal(bob.engine.replica.verdictOf(admit.id), 'invitation');
    office.arrive(bob);
    office.arrive(dave);
    office.link(bob, dave);
    assert.equal(outBy(dave), lastOf(alice).id);
  });
});
