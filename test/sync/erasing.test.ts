/**
 * K4 at the engine: which message keys go and when, and what becomes of those who still speak under one. What passes is sealed
 * bytes: who has erased a key cannot open what is under it.
 */
import assert from 'node:assert/strict';
import { controlBody, Role } from '../../src/sync/control.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { boxEpoch, openEpoch, readEpochNotice, tagOf } from '../../src/sync/epoch.ts';
import { Desk, threePeople } from './office.ts';
import { stateOf } from './team.ts';

const tags = (desk: Desk): readonly string[] => desk.engine.keys.held().map(({ tag }) => tag);

/** Carol is out, and everybody who stays has erased what she held. */
function afterRemoval(seed: string) {
  const { office, alice, bob, carol } = threePeople(seed);
  office.link(alice, bob, carol);
  alice.post('before');
  office.pump();
  const old = { ...office.team.epoch, key: office.team.epoch.key.slice() };
  alice.remove(carol);
  office.rest();
  return { office, alice, bob, carol, old };
}

describe('K4 erasing epoch keys', () => {
  it('K4 an epoch key is erased when every active device has acknowledged a newer one, and no sooner', () => {
    const { office, alice, bob, carol } = threePeople('K4');
    office.link(alice, bob, carol);
    const first = alice.engine.keys.inUse!;
    office.leave(bob);
    alice.remove(carol);
    office.rest();
    const second = alice.engine.keys.inUse!;
    assert.deepEqual(tags(alice), [first, second], 'Bob has not seen the newer one');
    office.comeBack(bob);
    office.link(alice, bob);
    office.rest();
    assert.deepEqual(tags(alice), [second]);
    assert.deepEqual(tags(bob), [second]);
    assert.ok(alice.engine.keys.isErased(first) && bob.engine.keys.isErased(first));
  });

  it('K4 what was erased does not come back: not by its box, nor by its key', () => {
    const { office, alice, bob, old } = afterRemoval('K4 for good');
    alice.control('rename', controlBody.rename('Gemini')); // all notices are looked through again
    office.pump();
    assert.equal(bob.engine.replica.roster.name, 'Gemini');
    for (const desk of [alice, bob]) {
      assert.equal(desk.engine.keys.find(old.tag), undefined);
      assert.equal(desk.engine.keys.add({ ...old }), false);
      assert.equal(desk.engine.keys.find(old.tag), undefined);
    }
    assert.ok(
      office.team.epoch.key.some((byte) => byte !== 0),
      'nobody has wiped another’s copy',
    );
  });

  it('K4 the key is wiped where it lay', () => {
    const { office, alice, bob, carol } = threePeople('K4 wiped');
    office.link(alice, bob, carol);
    const held = bob.engine.keys.held()[0]!;
    alice.remove(carol);
    office.rest();
    assert.deepEqual(held.key, new Uint8Array(32));
  });

  it('K1 K4 a key whose word has not come is kept in memory only, a few of them, and goes when all has come to rest', () => {
    const { office, alice, bob, carol } = threePeople('K1 unannounced');
    office.link(alice, bob, carol);
    office.rest();
    const inUse = bob.engine.keys.inUse!;
    const notices = Array.from({ length: 40 }, () => readEpochNotice(alice.engine.keys.make())!);
    for (const notice of notices) assert.equal(bob.engine.takeKey({ kind: 'key', notice })!.isLasting, false);
    assert.ok(tags(bob).length <= 20, `${tags(bob).length} are held`);
    assert.ok(tags(bob).includes(tagOf(notices.at(-1)!.commit)), 'the newest is among them');
    office.rest();
    assert.deepEqual(tags(bob), [inUse]);
  });

  it('K1 a key that came before its word is to be remembered when the word is here', () => {
    const { office, alice, bob, carol } = threePeople('K1 announced');
    office.link(alice, bob, carol);
    const made = alice.engine.keys.make();
    const notice = readEpochNotice(made)!;
    assert.equal(bob.engine.takeKey({ kind: 'key', notice })!.isLasting, false);
    const growth = alice.engine.author([{ tool: undefined, kind: 'epoch', body: controlBody.epoch(made) }], office.now);
    const { opened } = bob.engine.ingest(
      alice.device,
      'direct',
      [growth.nodes.map(({ delta }) => delta.bytes)],
      office.now,
    );
    assert.deepEqual(
      opened.map(({ tag }) => tag),
      [tagOf(notice.commit)],
    );
    assert.equal(bob.engine.takeKey({ kind: 'key', notice }), undefined, 'it is here');
    assert.equal(bob.engine.keys.inUse, tagOf(notice.commit));
  });

  it('K4 F1 the keys of chunks of an erased epoch stay, and who comes later is given them alone', () => {
    const { office, alice, bob, old } = afterRemoval('K4 chunks');
    assert.deepEqual(bob.engine.keys.chunkKey(old.tag), old.chunkKey);
    const dave = office.team.person('Dave');
    const box = alice.engine.keys.box([{ device: dave.device, agreementKey: dave.certificate.agreementKey }])!;
    const body = controlBody.admit(dave.account, Role.participant, 'Dave', [dave.certificate], undefined, box);
    alice.control('admit', body);
    const desk = office.open(dave, alice);
    desk.engine.keys.eraseOld(); // it was opened with the first epoch, which Dave never had
    const late = new Desk(office, dave);
    office.desks.set(dave.device, late);
    late.engine.keys.open(readEpochNotice(box)!);
    late.engine.sponsored([alice]);
    office.link(alice, late);
    office.rest();
    assert.deepEqual(late.texts(), ['before']);
    assert.equal(late.engine.keys.chunkKey(old.tag), undefined);
    office.send(late, late.engine.askForKey(bob.device, 'relay', old.tag, office.now));
    office.pump();
    assert.deepEqual(late.engine.keys.chunkKey(old.tag), old.chunkKey);
    assert.equal(late.engine.keys.find(old.tag), undefined, 'not what would open messages');
  });

  it('K4 an older key that was asked for, to hear who still speaks under it, goes again when all is at rest (world “jade.5323”)', () => {
    const { office, alice, bob, old } = afterRemoval('K4 for once');
    const dave = office.team.person('Dave');
    const targets = [{ device: dave.device, agreementKey: dave.certificate.agreementKey }];
    const box = alice.engine.keys.box(targets)!;
    const body = controlBody.admit(dave.account, Role.participant, 'Dave', [dave.certificate], undefined, box);
    alice.control('admit', body);
    const late = new Desk(office, dave);
    office.desks.set(dave.device, late);
    late.engine.keys.open(readEpochNotice(box)!);
    late.engine.sponsored([alice]);
    office.link(alice, bob, late);
    office.rest();
    const notice = readEpochNotice(boxEpoch(office.team.crypto, old, targets))!;
    assert.equal(late.engine.takeKey({ kind: 'key', notice })!.isLasting, true);
    assert.deepEqual(tags(late), [alice.engine.keys.inUse, old.tag]);
    office.rest();
    assert.deepEqual(tags(late), tags(alice));
  });

  it('K4 F1 who comes later is given the key of the chunks alone by who still holds the other', () => {
    const { office, alice, bob, carol } = threePeople('K4 chunks early');
    office.link(alice, bob, carol);
    const { tag, chunkKey } = office.team.epoch;
    office.leave(bob);
    alice.remove(carol);
    const dave = office.team.person('Dave');
    const box = alice.engine.keys.box([{ device: dave.device, agreementKey: dave.certificate.agreementKey }])!;
    alice.control(
      'admit',
      controlBody.admit(dave.account, Role.participant, 'Dave', [dave.certificate], undefined, box),
    );
    const late = new Desk(office, dave);
    office.desks.set(dave.device, late);
    late.engine.keys.open(readEpochNotice(box)!);
    late.engine.sponsored([alice]);
    office.link(alice, late);
    assert.ok(alice.engine.keys.find(tag));
    office.send(late, late.engine.askForKey(alice.device, 'direct', tag, office.now));
    office.pump();
    assert.deepEqual(late.engine.keys.chunkKey(tag), chunkKey);
    assert.equal(late.engine.keys.find(tag), undefined);
    // Nor is he by boxing to himself what he has not got.
    const { crypto, epoch } = office.team;
    const target = { device: dave.device, agreementKey: dave.certificate.agreementKey };
    const claimed = boxEpoch(crypto, { commit: epoch.commit, key: crypto.randomBytes(32) }, [target]);
    late.control('epoch', controlBody.epoch(claimed));
    office.pump();
    assert.ok(alice.engine.keys.boxedTo(dave.device).includes(tag));
    const given = readEpochNotice(alice.engine.keys.boxTo(tag, dave.device))!;
    assert.equal(openEpoch(crypto, given, dave.device, dave.agreementSecret), undefined);
    // Bob was boxed in it: he is given it whole.
    assert.equal(bob.engine.keys.find(tag)?.tag, tag);
    const notice = readEpochNotice(alice.engine.keys.boxTo(tag, bob.device))!;
    assert.ok(openEpoch(office.team.crypto, notice, bob.device, bob.person.agreementSecret));
  });

  it('K4 who comes from a store of before is brought to the newest epoch under the seal of the two, and nothing is lost', () => {
    const { office, alice, bob, old } = afterRemoval('K4 restored');
    alice.post('he had this');
    office.rest();
    office.leave(bob);
    // His store of before the removal: what he wrote in it and nobody has heard is to come through.
    const again = new Desk(office, bob.person);
    again.engine.keys.add({ ...old, key: old.key.slice() });
    for (const { delta } of office.team.founder.replica.nodes()) again.engine.restore(delta.bytes);
    again.engine.opened();
    again.engine.beginFeed(1);
    office.desks.set(bob.device, again);
    office.arrive(again);
    office.link(alice, again);
    office.rest();
    assert.ok(alice.late.length > 0, 'he has spoken under what is erased');
    assert.equal(again.engine.keys.inUse, alice.engine.keys.inUse);
    assert.deepEqual(again.texts(), ['before', 'he had this']);
    again.post('and this is new');
    office.rest();
    assert.deepEqual(alice.texts(), ['and this is new', 'before', 'he had this']);
    assert.deepEqual(stateOf(again.engine.replica), stateOf(alice.engine.replica));
    assert.deepEqual(tags(again), tags(alice), 'and he has erased it, too');
  });

  it('K4 K2 who is out and has not heard it is told so, though nobody holds an epoch of his any more', () => {
    const { office, alice, bob, carol } = threePeople('K4 out');
    office.link(alice, bob, carol);
    alice.post('before');
    office.pump();
    office.leave(carol);
    alice.remove(carol);
    alice.post('not for her');
    office.rest();
    assert.deepEqual([tags(alice).length, tags(bob).length], [1, 1]);
    office.arrive(carol); // what her relay had for her is lost
    office.link(bob, carol);
    office.rest();
    assert.equal(carol.engine.replica.roster.members.has(carol.person.account), false, 'she knows');
    assert.deepEqual(carol.texts(), ['before']);
    assert.equal(carol.engine.keys.find(bob.engine.keys.inUse!), undefined);
  });

  it('K4 a late message under an erased epoch is not kept: its sender is asked what he holds, at most every 5 s', () => {
    const { office, alice, bob, carol, old } = afterRemoval('K4 late');
    const letter = alice.seen.findLast(({ bytes }) => envelopeTag(bytes) === old.tag)!;
    const answer = () => alice.engine.lockedOut(bob.device, 'direct', old.tag, office.now);
    assert.ok(letter);
    const { waits, out } = answer();
    assert.equal(waits, false);
    assert.deepEqual(
      out.map(({ to, message, under }) => [to, message.kind, under]),
      [[[bob.device], 'have', alice.engine.keys.pairWith(bob.device)]],
    );
    assert.deepEqual(answer().out, []);
    office.now += 5_000;
    assert.equal(answer().out.length, 1);
    assert.notEqual(alice.engine.keys.pairWith(bob.device), alice.engine.keys.pairWith(carol.device));
    assert.equal(alice.engine.keys.pairWith(bob.device), bob.engine.keys.pairWith(alice.device));
  });

  it('K3 K4 an epoch that another has followed is never in use again, though all who know its key are in again', () => {
    const { office, alice, bob, carol } = threePeople('K4 followed');
    office.link(alice, bob, carol);
    const { tag } = office.team.epoch;
    alice.remove(carol);
    office.pump();
    const { device, certificate, account } = carol.person;
    const box = alice.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
    alice.control('admit', controlBody.admit(account, Role.participant, 'Carol', [certificate], undefined, box));
    office.pump();
    // Nobody has erased anything: whoever has would have no other choice than the newer one.
    for (const desk of [alice, bob]) {
      assert.ok(tags(desk).includes(tag));
      assert.notEqual(desk.engine.keys.inUse, tag);
      assert.ok(desk.engine.keys.isClean);
    }
    assert.equal(bob.engine.keys.inUse, alice.engine.keys.inUse);
  });
});
