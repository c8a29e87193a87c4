import assert from 'node:assert/strict';
import type { DeltaId, ToolId } from '../../src/base/ids.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { MAX_MEMBERS } from '../../src/protocol/limits.ts';
import { signDelta, type Delta } from '../../src/sync/delta.ts';
import { controlBody, Role, type SettingScope } from '../../src/sync/control.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { ACK } from '../../src/sync/own-feed.ts';
import { makePerson } from '../sim/people.ts';
import { CHAT, NOW, Person, Team } from './team.ts';

describe('A authority', () => {
  it('A10 a senior removes whom a junior has admitted', () => {
    const team = new Team(1);
    const alice = team.founder;
    const bob = team.join('Bob');
    const carol = team.join('Carol', bob);
    alice.meet(bob);
    assert.equal(alice.roleOf(carol.person), Role.participant);
    assert.equal(alice.verdict(alice.remove(carol.person)), 'accepted');
    assert.equal(alice.roleOf(carol.person), undefined);
  });

  it('A10 A5 lets nobody be admitted by who has no right to invite: a guest by default, a participant where a manager says so', () => {
    const team = new Team('may not invite');
    const alice = team.founder;
    const [gil, bob] = [team.join('Gil', alice, Role.guest), team.join('Bob')];
    const refused = [gil.admit(team.person('One'), Role.guest)];
    alice.setPerm('workspace', 'invite', Role.participant, false);
    bob.meet(alice);
    refused.push(bob.admit(team.person('Two'), Role.guest));
    for (const copy of [gil, bob]) alice.meet(copy);
    for (const id of refused) assert.equal(alice.verdict(id), 'notPermitted');
    assert.equal(alice.replica.roster.members.size, 3);
  });

  it('A10 a senior changes the role of whom a junior has admitted, down and up', () => {
    const team = new Team(2);
    const alice = team.founder;
    const bob = team.join('Bob');
    const carol = team.join('Carol', bob);
    alice.meet(bob);
    for (const role of [Role.guest, Role.participant, Role.manager]) {
      assert.equal(alice.verdict(alice.setRole(carol.person, role)), 'accepted');
      assert.equal(alice.roleOf(carol.person), role);
    }
  });

  it('A10 D8 L7 a manager takes out, drops and freezes devices of whom a junior has let in', () => {
    const team = new Team(21);
    const alice = team.founder;
    const bob = team.join('Bob');
    const epoch = boxEpoch(team.crypto, team.epoch, []);
    for (const kind of ['removeDevice', 'drop', 'freeze']) {
      const carol = team.join(`Carol ${kind}`, bob);
      alice.meet(bob);
      const { device } = carol.person;
      const body =
        kind === 'freeze' ? controlBody.freeze(device, new Map(), epoch) : controlBody.devices([device], epoch);
      assert.equal(alice.verdict(alice.control(kind, body)), 'accepted', kind);
      const unseen = carol.post('unseen');
      // As what was in somebody's past.
      alice.replica.restore(carol.replica.node(unseen)!.delta.bytes);
      assert.equal(alice.verdict(unseen), 'cutOff', kind);
      assert.equal(alice.replica.roster.devices.has(device), false);
      bob.meet(alice);
    }
  });

  it('I4 A6 a device that its owner added before he was promoted acts for him as what he is now', () => {
    const team = new Team(22);
    const alice = team.founder;
    const bob = team.join('Bob');
    const { crypto } = team;
    const [seed, accountSeed] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const of = (signingSeed: Uint8Array) =>
      issueCertificate(crypto, accountSeed, {
        signingSeed,
        agreementKey: crypto.agreementKeyOf(crypto.randomBytes(32)),
        name: '',
        created: NOW,
      });
    const first = crypto.randomBytes(32);
    const [laptop, phone] = [of(first), of(seed)];
    const epoch = boxEpoch(crypto, team.epoch, []);
    const { account, device } = laptop;
    const admitted = bob.control(
      'admit',
      controlBody.admit(account, Role.participant, 'Carol', [laptop], undefined, epoch),
    );
    const added = signDelta(crypto, { device, seed: first }, team.workspace, {
      ...{ generation: 0, seq: 1, prev: undefined, deps: [admitted], credential: admitted, time: NOW },
      ...{ tool: undefined, kind: 'addDevice', body: controlBody.addDevice(account, [phone], epoch) },
    });
    assert.deepEqual(bob.replica.ingest([[added.bytes]]).faults, []);
    alice.meet(bob);
    const promoted = alice.control('setRole', controlBody.setRole(account, Role.manager));
    const renamed = signDelta(crypto, { device: phone.device, seed }, team.workspace, {
      ...{ generation: 0, seq: 1, prev: undefined, deps: [promoted], credential: promoted, time: NOW },
      ...{ tool: undefined, kind: 'rename', body: controlBody.rename('By the phone') },
    });
    alice.replica.ingest([[renamed.bytes]]);
    assert.equal(alice.verdict(renamed.id), 'accepted');
    assert.equal(alice.replica.roster.name, 'By the phone');
  });

  for (const kind of ['removeDevice', 'drop']) {
    it(`I4 A4 L7 a device does not let itself in again after a ${kind}`, () => {
      const team = new Team(24);
      const alice = team.founder;
      const bob = team.join('Bob');
      const { certificate, device, account } = bob.person;
      const credential = bob.replica.roster.members.get(account)!.credential;
      const epoch = boxEpoch(team.crypto, team.epoch, []);
      const out = alice.control(kind, controlBody.devices([device], epoch));
      const body = controlBody.addDevice(account, [certificate], epoch);
      const draft = { deps: [out], credential, tool: undefined, kind: 'addDevice', body };
      const self = team.forge(bob.person, { seq: 1, ...draft });
      const after = team.forge(bob.person, { seq: 2, prev: self.id, credential });
      assert.deepEqual(alice.replica.ingest([[self.bytes, after.bytes]]).added, []);
      // As where somebody has named it who had not heard the word.
      for (const { bytes } of [self, after]) alice.replica.restore(bytes);
      assert.deepEqual(
        [self, after].map(({ id }) => alice.verdict(id)),
        ['cutOff', 'cutOff'],
      );
    });
  }

  it('A4 L4 what a device writes beyond the word that takes it out is taken only where others had it in their past', () => {
    const team = new Team(25);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    const seen = carol.post('seen');
    for (const other of [bob, carol, bob]) alice.meet(other);
    const out = alice.control(
      'drop',
      controlBody.devices([carol.person.device], boxEpoch(team.crypto, team.epoch, [])),
    );
    const late = carol.post('late');
    const runs = carol.replica.serving.lacking(alice.replica.vector(), Number.MAX_SAFE_INTEGER);
    assert.deepEqual(alice.take(runs), [], 'it is no fault: she cannot know');
    assert.equal(alice.verdict(late), undefined, 'and it is not here');
    bob.meet(carol);
    const upon = bob.post('upon it');
    alice.meet(bob); // what is named is asked for
    alice.meet(bob);
    for (const copy of [alice, bob])
      assert.deepEqual(
        [seen, out, late, upon].map((id) => copy.verdict(id)),
        ['accepted', 'accepted', 'cutOff', 'accepted'],
      );
  });

  it('A4 L7 so it is when its device has been let in again since, and goes on as if it had heard of nothing (world “pr.27”)', () => {
    const team = new Team(27);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    for (const other of [bob, carol, bob]) alice.meet(other);
    alice.control('drop', controlBody.devices([carol.person.device], boxEpoch(team.crypto, team.epoch, [])));
    const { account, device, certificate } = carol.person;
    const target = { device, agreementKey: certificate.agreementKey };
    const again = controlBody.addDevice(account, [certificate], boxEpoch(team.crypto, team.epoch, [target]));
    assert.equal(alice.verdict(alice.control('addDevice', again)), 'accepted');
    assert.ok(alice.replica.roster.devices.has(device));
    const late = carol.post('names what others may have forgotten');
    assert.deepEqual(alice.take(carol.replica.serving.lacking(alice.replica.vector(), Number.MAX_SAFE_INTEGER)), []);
    assert.equal(alice.replica.node(late), undefined);
    // Who has not acknowledged the word cannot have forgotten anything by virtue of it.
    bob.meet(carol);
    assert.equal(bob.verdict(late), 'accepted');
  });

  it('D2 L4 what comes of an older feed than its device’s newest is taken only where that, or somebody, names it', () => {
    const team = new Team(26);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    alice.meet(bob, carol);
    const lost = carol.post('lost with the store');
    bob.meet(carol);
    // Her store is put back; the new feed does not know of what was lost yet.
    const { credential } = alice.replica.roster.members.get(carol.person.account)!;
    const deps = [credential];
    const draft = { generation: 1, credential, tool: undefined, kind: 'ack', body: [] };
    const first = team.forge(carol.person, { ...draft, seq: 1, deps });
    assert.deepEqual(alice.replica.ingest([[first.bytes]]).faults, []);
    alice.control('ack', []);
    alice.take(bob.replica.serving.lacking(alice.replica.vector(), Number.MAX_SAFE_INTEGER));
    assert.equal(alice.verdict(lost), undefined);
    const back = team.forge(carol.person, { ...draft, seq: 2, prev: first.id, deps: [lost] });
    assert.deepEqual(alice.replica.ingest([[back.bytes]]).missing, [lost]);
    alice.take(bob.replica.serving.lacking(alice.replica.vector(), Number.MAX_SAFE_INTEGER));
    assert.equal(alice.verdict(lost), 'accepted');
  });

  it('I4 a device that nobody let in does not let itself in', () => {
    const team = new Team(23);
    const alice = team.founder;
    const credential = alice.replica.roster.members.get(team.alice.account)!.credential;
    const epoch = boxEpoch(team.crypto, team.epoch, []);
    const again = { deps: [credential], credential, tool: undefined, kind: 'addDevice' };
    const mallory = team.person('Mallory');
    const body = controlBody.addDevice(mallory.account, [mallory.certificate], epoch);
    const forged = team.forge(mallory, { seq: 1, ...again, body });
    assert.deepEqual(alice.replica.ingest([[forged.bytes]]).faults, [{ tag: 'brokenChain', device: mallory.device }]);
    assert.equal(alice.verdict(forged.id), undefined);
  });

  it('N3 a senior admits on the invitation of a junior, as often as it has uses, and revokes it', () => {
    const team = new Team(3);
    const alice = team.founder;
    const bob = team.join('Bob');
    const invite = bob.invite();
    const second = bob.invite();
    const third = bob.invite();
    bob.control('revoke', controlBody.revoke(third));
    alice.meet(bob);
    const [carol, dave, eve, frank] = ['Carol', 'Dave', 'Eve', 'Frank'].map((name) => team.person(name));
    assert.equal(alice.verdict(alice.admit(carol!, Role.participant, invite)), 'accepted');
    assert.equal(alice.verdict(alice.admit(dave!, Role.participant, invite)), 'invitation');
    assert.equal(alice.verdict(alice.control('revoke', controlBody.revoke(second))), 'accepted');
    assert.equal(alice.verdict(alice.admit(eve!, Role.participant, second)), 'invitation');
    assert.equal(alice.verdict(alice.admit(frank!, Role.participant, third)), 'invitation');
    const { invites } = alice.replica.roster;
    assert.deepEqual(
      [invite, second, third].map((id) => invites.get(id)?.revoked),
      [false, true, true],
    );
  });

  it('N3 two admits of one person at the same time are one use, and what he wrote upon either stands', () => {
    const team = new Team(9);
    const alice = team.founder;
    const bob = team.join('Bob');
    const invite = bob.invite();
    alice.meet(bob);
    const carol = team.person('Carol');
    const byBob = bob.admit(carol, Role.participant, invite);
    const hers = team.copyOf(carol, bob);
    const post = hers.post('written before she heard of the other');
    const byAlice = alice.admit(carol, Role.participant, invite);
    for (const copy of [bob, hers]) alice.meet(copy);
    bob.meet(hers);
    for (const copy of [alice, bob, hers]) {
      assert.deepEqual(
        [byAlice, byBob, post].map((id) => copy.verdict(id)),
        ['accepted', 'accepted', 'accepted'],
      );
      assert.equal(copy.replica.roster.invites.get(invite)!.usesLeft, 0);
    }
    assert.equal(alice.verdict(alice.admit(team.person('Dave'), Role.participant, invite)), 'invitation');
  });

  it('N3 of two concurrent admits on one use the first in A6 order stands, everywhere', () => {
    const team = new Team(4);
    const alice = team.founder;
    const invite = alice.invite();
    const bob = team.join('Bob');
    const [carol, dave] = [team.person('Carol'), team.person('Dave')];
    const byAlice = alice.admit(carol, Role.participant, invite);
    const byBob = bob.admit(dave, Role.participant, invite);
    assert.equal(bob.verdict(byBob), 'accepted');
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      assert.deepEqual([copy.verdict(byAlice), copy.verdict(byBob)], ['accepted', 'invitation']);
      assert.equal(copy.roleOf(dave), undefined);
    }
  });

  it('N3 a revocation in its past voids an admit; a concurrent one does not', () => {
    const team = new Team(5);
    const alice = team.founder;
    const invite = alice.invite(Role.participant, 5);
    const bob = team.join('Bob');
    const [carol, dave] = [team.person('Carol'), team.person('Dave')];
    alice.control('revoke', controlBody.revoke(invite));
    const concurrent = bob.admit(carol, Role.participant, invite);
    bob.meet(alice);
    const after = bob.admit(dave, Role.participant, invite);
    assert.deepEqual([bob.verdict(concurrent), bob.verdict(after)], ['accepted', 'invitation']);
  });

  it('N3 nobody revokes an invitation by a credential that is not his, whoever admits upon it', () => {
    const team = new Team('revoked in vain');
    const alice = team.founder;
    const credentialOf = ({ account }: Person) => alice.replica.roster.members.get(account)!.credential;
    const { person: bob } = team.join('Bob', alice, Role.manager);
    const { person: mallory } = team.join('Mallory', alice, Role.guest);
    const invite = alice.invite(Role.participant, 2);
    const revoke = { deps: [invite], tool: undefined, kind: 'revoke', body: controlBody.revoke(invite) };
    const byBob = team.forge(mallory, { ...revoke, seq: 1, credential: credentialOf(bob) });
    const byHerself = team.forge(mallory, {
      ...revoke,
      seq: 2,
      prev: byBob.id,
      deps: [],
      credential: credentialOf(mallory),
    });
    assert.deepEqual(alice.hearRuns([byBob, byHerself]), []);
    assert.deepEqual(
      [byBob, byHerself].map(({ id }) => alice.verdict(id)),
      ['noCredential', 'notPermitted'],
    );
    assert.equal(alice.verdict(alice.admit(team.person('Carol'), Role.participant, invite)), 'accepted');
  });

  it('N3 D9 who has not seen an invitation revokes nothing by it, whoever admits upon it (world “vole.11187”)', () => {
    const team = new Team('revoked unseen');
    const alice = team.founder;
    const { person: mallory } = team.join('Mallory', alice, Role.manager);
    const [seen] = alice.write(ACK);
    const invite = alice.invite(Role.participant);
    const { credential } = alice.replica.roster.members.get(mallory.account)!;
    const body = controlBody.revoke(invite);
    const deps = [seen!.delta.id];
    const unseen = team.forge(mallory, { seq: 1, deps, credential, tool: undefined, kind: 'revoke', body });
    assert.deepEqual(alice.hearRuns([unseen]), []);
    assert.equal(alice.verdict(unseen.id), 'noTarget');
    assert.equal(alice.verdict(alice.admit(team.person('Carol'), Role.participant, invite)), 'accepted');
  });

  it('N3 a senior does not admit upon an invitation that its author has revoked at another device', () => {
    const team = new Team('revoked elsewhere');
    const alice = team.founder;
    const bob = team.join('Bob');
    const other = new Person(team.crypto, 'Bob', bob.person);
    const box = boxEpoch(team.crypto, team.epoch, [other.certificate]);
    bob.control('addDevice', controlBody.addDevice(other.account, [other.certificate], box));
    const invite = bob.invite();
    const elsewhere = team.copyOf(other, bob);
    elsewhere.control('revoke', controlBody.revoke(invite));
    alice.meet(elsewhere);
    assert.equal(alice.verdict(alice.admit(team.person('Carol'), Role.participant, invite)), 'invitation');
  });

  it('N3 an invitation gives its own role and no other', () => {
    const team = new Team(6);
    const invite = team.founder.invite(Role.guest);
    assert.equal(
      team.founder.verdict(team.founder.admit(team.person('Carol'), Role.participant, invite)),
      'invitation',
    );
  });

  it('A4 what a removed member did concurrently is void, what the remover had seen stays', () => {
    const team = new Team(7);
    const alice = team.founder;
    const bob = team.join('Bob');
    const seen = bob.post('seen');
    alice.meet(bob);
    alice.remove(bob.person);
    const unseen = bob.post('unseen');
    const admitted = bob.admit(team.person('Mallory'));
    bob.meet(alice);
    assert.equal(alice.verdict(unseen), undefined, 'she has said that he is out, and takes no more');
    // As what was in somebody's past.
    for (const id of [unseen, admitted]) alice.replica.restore(bob.replica.node(id)!.delta.bytes);
    for (const copy of [alice, bob]) {
      assert.deepEqual(
        [seen, unseen, admitted].map((id) => copy.verdict(id)),
        ['accepted', 'cutOff', 'cutOff'],
      );
      assert.equal(copy.replica.fold.row(CHAT, 'posts', unseen), undefined);
      assert.ok(copy.replica.fold.row(CHAT, 'posts', seen));
      assert.equal(copy.replica.roster.members.size, 1);
    }
  });

  it('A4 a later re-admission restores', () => {
    const team = new Team(8);
    const alice = team.founder;
    const bob = team.join('Bob');
    alice.remove(bob.person);
    bob.meet(alice);
    assert.equal(bob.verdict(bob.post('too late')), 'noCredential');
    alice.meet(bob);
    assert.equal(alice.verdict(alice.admit(bob.person)), 'accepted');
    bob.meet(alice);
    assert.equal(bob.verdict(bob.post('back')), 'accepted');
  });

  it('A7 two managers remove each other: the senior stands, on both copies', () => {
    const team = new Team(9);
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    const byAlice = alice.remove(bob.person);
    const byBob = bob.remove(alice.person);
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      assert.equal(copy.verdict(byAlice), 'accepted');
      assert.notEqual(copy.verdict(byBob), 'accepted');
      assert.deepEqual([...copy.replica.roster.members.keys()], [alice.person.account]);
    }
  });

  it('A4 L4 who is let in by what lies beyond the word that takes a device out wants it in vain; who had not heard the word does not', () => {
    for (const isFirst of [true, false]) {
      const team = new Team(`beyond ${String(isFirst)}`);
      const alice = team.founder;
      const [bob, carol] = [team.join('Bob'), team.join('Carol')];
      for (const copy of [bob, carol]) copy.meet(alice);
      bob.post('Bob is here');
      alice.remove(carol.person);
      const dave = team.join('Dave', carol);
      const named = dave.control('ack', controlBody.ack());
      const [admit, ack] = [...dave.replica.nodes()].slice(-2).map(({ delta }) => delta);
      const runs = [[admit!.bytes], [ack!.bytes]];
      for (let i = 0; i < 2; i++) alice.replica.ingest(isFirst ? runs : runs.toReversed());
      assert.equal(alice.replica.node(admit!.id), undefined);
      bob.meet(dave);
      bob.post('upon what Dave has written');
      for (let i = 0; i < 3; i++)
        alice.replica.ingest(
          bob.replica.serving
            .lacking(alice.replica.vector(), Number.MAX_SAFE_INTEGER)
            .map((run) => run.map(({ delta }) => delta.bytes)),
        );
      assert.ok(alice.replica.node(named), 'Bob names it, who had not heard');
      assert.equal(alice.verdict(admit!.id), 'cutOff');
    }
  });

  it('A4 L4 who has left, and is let in again by who had not heard that he is out himself, wants it in vain', () => {
    for (const isFirst of [true, false]) {
      const team = new Team(`left ${String(isFirst)}`);
      const alice = team.founder;
      const [bob, carol, dave] = [team.join('Bob'), team.join('Carol'), team.join('Dave')];
      for (const copy of [bob, carol, dave, bob, carol]) copy.meet(alice);
      carol.control('leave', controlBody.leave());
      for (const copy of [alice, bob, dave]) copy.meet(carol);
      alice.remove(bob.person);
      const again = bob.admit(carol.person);
      carol.meet(bob);
      const back = carol.control('ack', controlBody.ack());
      const runs = [again, back].map((id) => [carol.replica.node(id)!.delta.bytes]);
      for (let i = 0; i < 2; i++) alice.replica.ingest(isFirst ? runs : runs.toReversed());
      assert.equal(alice.replica.node(again), undefined);
      dave.meet(carol);
      dave.post('upon what Carol has written');
      for (let i = 0; i < 3; i++)
        alice.take(dave.replica.serving.lacking(alice.replica.vector(), Number.MAX_SAFE_INTEGER));
      assert.ok(alice.replica.node(back), 'Dave names it, who had not heard');
      assert.equal(alice.verdict(again), 'cutOff');
    }
  });

  it('A4 L7 the first of a feed waits for its past, which may hold the words that took its device out and let it in again', () => {
    const team = new Team('first of a feed');
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    alice.meet(bob, carol);
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const epoch = boxEpoch(team.crypto, team.epoch, []);
    alice.control('drop', controlBody.devices([bob.person.device], epoch));
    alice.control('addDevice', controlBody.addDevice(bob.person.account, [bob.person.certificate], epoch));
    carol.meet(alice);
    const seen = carol.control('ack', controlBody.ack());
    const place = { generation: 1, seq: 1, deps: [seen], credential };
    const first = team.forge(bob.person, { ...place, tool: undefined, kind: 'ack', body: controlBody.ack() });
    assert.deepEqual(alice.replica.ingest([[first.bytes]]).missing, [seen]);
    alice.meet(carol);
    assert.equal(alice.verdict(first.id), 'accepted');
  });

  it('A4 L7 so it does where some of that is here, and had not heard of the words', () => {
    const team = new Team('some of it is here');
    const alice = team.founder;
    const [bob, carol, dave] = [team.join('Bob'), team.join('Carol'), team.join('Dave')];
    alice.meet(bob, carol, dave);
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const epoch = boxEpoch(team.crypto, team.epoch, []);
    const unaware = dave.post('has heard of nothing');
    alice.control('drop', controlBody.devices([bob.person.device], epoch));
    alice.control('addDevice', controlBody.addDevice(bob.person.account, [bob.person.certificate], epoch));
    carol.meet(alice);
    const seen = carol.control('ack', controlBody.ack());
    alice.meet(dave);
    const place = { generation: 1, seq: 1, deps: [unaware, seen], credential };
    const first = team.forge(bob.person, { ...place, tool: undefined, kind: 'ack', body: controlBody.ack() });
    assert.deepEqual(alice.replica.ingest([[first.bytes]]).missing, [seen]);
    alice.meet(carol);
    assert.equal(alice.verdict(first.id), 'accepted');
  });

  it('A7 leave binds only what has it in its past', () => {
    const team = new Team(10);
    const alice = team.founder;
    const bob = makePerson(team.crypto, 'Bob', 2);
    const certificates = bob.devices.map(({ certificate }) => certificate);
    const boxes = boxEpoch(team.crypto, team.epoch, certificates);
    const { account, name } = bob;
    const admit = alice.control(
      'admit',
      controlBody.admit(account, Role.participant, name, certificates, undefined, boxes),
    );
    const say = (device: number, kind: string, seq: number, prev?: DeltaId): Delta => {
      const { signer } = bob.devices[device]!;
      const content = kind === 'post' ? { tool: CHAT, body: [kind] } : { tool: undefined, body: [] };
      const draft = { generation: 0, seq, prev, deps: seq === 1 ? [admit] : [], credential: admit, time: NOW };
      return signDelta(team.crypto, signer, team.workspace, { ...draft, kind, ...content });
    };
    const before = say(0, 'post', 1);
    const leave = say(0, 'leave', 2, before.id);
    const after = say(0, 'post', 3, leave.id);
    const beside = say(1, 'post', 1);
    alice.replica.ingest([[before.bytes, leave.bytes, after.bytes], [beside.bytes]]);
    assert.deepEqual(
      [before, after, beside].map(({ id }) => alice.verdict(id)),
      ['accepted', 'left', 'accepted'],
    );
    assert.equal(alice.replica.roster.members.has(account), false);
  });

  it('A7 the founder, too, can leave, and then nobody is senior to the next', () => {
    const team = new Team(19);
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    assert.equal(alice.verdict(alice.control('leave', controlBody.leave())), 'accepted');
    bob.meet(alice);
    assert.deepEqual([...bob.replica.roster.members.keys()], [bob.person.account]);
    assert.equal(bob.verdict(bob.admit(team.alice, Role.guest)), 'accepted');
    assert.equal(bob.roleOf(team.alice), Role.guest);
  });

  it('A10 a senior takes back who has left, and whom a junior with the right to has removed', () => {
    const team = new Team(20);
    const alice = team.founder;
    const bob = team.join('Bob');
    for (let again = 0; again < 2; again++) {
      bob.control('leave', controlBody.leave());
      alice.meet(bob);
      assert.equal(alice.verdict(alice.admit(bob.person)), 'accepted');
      bob.meet(alice);
      assert.equal(bob.verdict(bob.post('back')), 'accepted');
    }
    const carol = team.join('Carol');
    alice.setPerm('workspace', 'uninvite', Role.participant, true);
    bob.meet(alice);
    assert.equal(bob.verdict(bob.remove(carol.person)), 'accepted');
    alice.meet(bob);
    assert.equal(alice.roleOf(carol.person), undefined);
    assert.equal(alice.verdict(alice.admit(carol.person)), 'accepted');
    assert.equal(alice.roleOf(carol.person), Role.participant);
  });

  it('A10 whom lower roles have taken out, with each other or with a removal that they did not know of, a senior takes back', () => {
    const team = new Team(21);
    const alice = team.founder;
    const [bob, dan] = [team.join('Bob', alice, Role.manager), team.join('Dan', alice, Role.manager)];
    const carol = team.join('Carol');
    bob.meet(alice);
    dan.meet(alice);
    const lower = [bob, dan].map((copy) => [copy, copy.setRole(carol.person, Role.guest)] as const);
    for (const [copy] of lower) alice.meet(copy);
    assert.deepEqual(
      lower.map(([, id]) => alice.verdict(id)),
      ['accepted', 'accepted'],
    );
    assert.equal(alice.roleOf(carol.person), undefined, 'neither knew of the other');
    assert.equal(alice.verdict(alice.admit(carol.person)), 'accepted');
    assert.equal(alice.roleOf(carol.person), Role.participant);

    bob.meet(alice);
    dan.meet(alice);
    bob.remove(carol.person);
    dan.setRole(carol.person, Role.guest);
    alice.meet(bob);
    alice.admit(carol.person);
    alice.meet(dan);
    assert.equal(alice.roleOf(carol.person), undefined, 'the role reaches what let her in again, the removal the role');
    assert.equal(alice.verdict(alice.admit(carol.person)), 'accepted');

    dan.meet(alice);
    alice.remove(carol.person);
    alice.admit(carol.person);
    dan.setRole(carol.person, Role.guest);
    alice.meet(dan);
    assert.equal(alice.roleOf(carol.person), undefined, 'so it is where the removal is a senior’s, and judged before');
    assert.equal(alice.verdict(alice.admit(carol.person)), 'accepted');
    assert.equal(alice.roleOf(carol.person), Role.participant);
  });

  it('A10 whom juniors have given lower roles that knew of one another is in, and is not let in again', () => {
    const team = new Team(22);
    const alice = team.founder;
    const [bob, dan] = [team.join('Bob', alice, Role.manager), team.join('Dan', alice, Role.manager)];
    const carol = team.join('Carol', alice, Role.manager);
    bob.meet(alice);
    bob.setRole(carol.person, Role.participant);
    dan.meet(bob);
    dan.setRole(carol.person, Role.guest);
    alice.meet(dan);
    assert.equal(alice.roleOf(carol.person), Role.guest);
    assert.equal(alice.verdict(alice.admit(carol.person)), 'noTarget');
  });

  describe('A2 no escalation', () => {
    it('A2 a participant admits no manager, sets no role, sets no permission', () => {
      const team = new Team(11);
      const bob = team.join('Bob');
      const carol = team.person('Carol');
      const acts = [
        bob.admit(carol, Role.manager),
        bob.setRole(bob.person, Role.manager),
        bob.setRole(team.alice, Role.guest),
        bob.setPerm('workspace', 'uninvite', Role.participant, true),
        bob.remove(team.alice),
        bob.remove(bob.person),
        bob.control('rename', controlBody.rename('Mine')),
        bob.control('deleteTool', controlBody.deleteTool(CHAT)),
        bob.control('invite', controlBody.invite(new Uint8Array(32), new Uint8Array(32), Role.manager, NOW, 1, false)),
      ];
      const verdicts = acts.map((id) => bob.verdict(id));
      assert.ok(
        verdicts.every((verdict) => verdict === 'notPermitted' || verdict === 'noTarget'),
        verdicts.join(),
      );
      assert.equal(bob.roleOf(bob.person), Role.participant);
      assert.equal(bob.roleOf(team.alice), Role.manager);
    });

    it('A10 a participant sets no role, not one below his own either, nor of whom he is senior to', () => {
      const team = new Team(28);
      const alice = team.founder;
      const bob = team.join('Bob');
      const carol = team.join('Carol', alice, Role.guest);
      bob.meet(alice);
      for (const role of [Role.participant, Role.guest])
        assert.equal(bob.verdict(bob.setRole(carol.person, role)), 'notPermitted');
      assert.equal(bob.roleOf(carol.person), Role.guest);
    });

    it('A2 a junior manager reaches no senior, a senior reaches him', () => {
      const team = new Team(12);
      const alice = team.founder;
      const bob = team.join('Bob', alice, Role.manager);
      assert.equal(bob.verdict(bob.setRole(team.alice, Role.guest)), 'notPermitted');
      assert.equal(bob.verdict(bob.remove(team.alice)), 'notPermitted');
      alice.meet(bob);
      assert.equal(alice.verdict(alice.setRole(bob.person, Role.guest)), 'accepted');
      bob.meet(alice);
      assert.equal(bob.verdict(bob.post('as a guest')), 'notPermitted');
    });

    it('A2 a manager who is being demoted concurrently escalates nobody', () => {
      const team = new Team(13);
      const alice = team.founder;
      const bob = team.join('Bob', alice, Role.manager);
      const carol = team.join('Carol', bob, Role.guest);
      alice.meet(bob);
      const demoted = alice.setRole(bob.person, Role.participant);
      const raised = bob.setRole(carol.person, Role.manager);
      alice.meet(bob);
      assert.deepEqual([alice.verdict(demoted), alice.verdict(raised)], ['accepted', 'cutOff']);
      assert.equal(bob.roleOf(carol.person), Role.guest);
      assert.equal(bob.roleOf(bob.person), Role.participant);
    });

    it("A3 another's credential, a foreign one and none do not count", () => {
      const team = new Team(14);
      const alice = team.founder;
      const bob = team.join('Bob');
      const heads = [...alice.replica.nodes()].at(-1)!;
      // Carol is in, and cites what is not hers.
      const carol = team.join('Carol');
      const entrance = [...alice.replica.nodes()].at(-1)!;
      for (const credential of [team.genesis.id, undefined, heads.delta.id]) {
        const forged = team.forge(carol.person, { seq: 1, deps: [entrance.delta.id], credential });
        const copy = team.copyOf(bob.person, alice);
        copy.replica.ingest([[forged.bytes]]);
        assert.equal(copy.verdict(forged.id), 'noCredential');
      }
    });

    it('A3 an own credential that is not the best of those he has does not count', () => {
      const team = new Team(29);
      const alice = team.founder;
      const bob = team.join('Bob');
      const former = bob.replica.roster.members.get(bob.person.account)!.credential;
      const promotion = alice.setRole(bob.person, Role.manager);
      const upon = (credential: DeltaId, deps: readonly DeltaId[]) => {
        const forged = team.forge(bob.person, { seq: 1, deps, credential });
        const copy = team.copyOf(team.alice, alice);
        copy.replica.ingest([[forged.bytes]]);
        return copy.verdict(forged.id);
      };
      assert.equal(upon(former, [promotion]), 'noCredential');
      assert.equal(upon(promotion, [promotion]), 'accepted');
      // He had not heard of the promotion.
      assert.equal(upon(former, [former]), 'accepted');
    });

    it('A3 a demoted member cannot go on under his former role', () => {
      const team = new Team(15);
      const alice = team.founder;
      const bob = team.join('Bob', alice, Role.manager);
      const former = bob.replica.roster.members.get(bob.person.account)!.credential;
      const demotion = alice.setRole(bob.person, Role.guest);
      const carol = team.person('Carol');
      // Without the demotion in his past he is cut off; with it the credential is not live.
      for (const deps of [[former], [demotion]]) {
        const body = controlBody.remove(carol.account, null);
        const forged = team.forge(bob.person, {
          seq: 1,
          deps,
          credential: former,
          tool: undefined,
          kind: 'remove',
          body,
        });
        const copy = team.copyOf(team.alice, alice);
        copy.replica.ingest([[forged.bytes]]);
        assert.ok(['cutOff', 'noCredential'].includes(copy.verdict(forged.id)!), copy.verdict(forged.id));
      }
    });
  });

  it('A5 a permission counts where it is in the past; a concurrent denial voids, also what was applied before it came', () => {
    const team = new Team(16);
    const alice = team.founder;
    const bob = team.join('Bob');
    const early = bob.post('early');
    alice.meet(bob);
    alice.setPerm('chat', 'add', Role.participant, false);
    const concurrent = bob.post('concurrent');
    assert.equal(bob.verdict(concurrent), 'accepted');
    bob.meet(alice);
    const late = bob.post('late');
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      assert.deepEqual(
        [early, concurrent, late].map((id) => copy.verdict(id)),
        ['accepted', 'notPermitted', 'notPermitted'],
      );
      assert.equal(copy.replica.fold.row(CHAT, 'posts', concurrent), undefined);
    }
    alice.setPerm('chat', 'add', Role.participant, true);
    bob.meet(alice);
    assert.equal(bob.verdict(bob.post('again')), 'accepted');
  });

  it('A5 what is shown as allowed is what a delta would be judged by; of settings made at once a denial stands', () => {
    const team = new Team(21);
    const alice = team.founder;
    const bob = team.join('Bob');
    const carol = team.join('Carol', alice, Role.manager);
    const allowance = (role: Role) => alice.replica.people.allowance('chat', 'add', role);
    assert.deepEqual(allowance(Role.participant), { allowed: true, otherwise: true, isOwn: false, setBy: [] });
    alice.setPerm('chat', 'add', Role.participant, false);
    carol.meet(alice);
    const [yes, no] = [
      carol.setPerm('chat', 'add', Role.participant, true),
      alice.setPerm('chat', 'add', Role.participant, false),
    ];
    alice.meet(carol);
    const { allowed, setBy } = allowance(Role.participant);
    assert.deepEqual([allowed, new Set(setBy.map(({ delta }) => delta.id))], [false, new Set([yes, no])]);
    bob.meet(alice);
    assert.equal(bob.verdict(bob.post('denied')), 'notPermitted');
    const last = alice.setPerm('chat', 'add', Role.participant, true);
    assert.deepEqual(allowance(Role.participant), {
      ...{ allowed: true, otherwise: true, isOwn: true },
      setBy: [alice.replica.node(last)],
    });
    assert.equal(allowance(Role.manager).allowed, true);
    bob.meet(alice);
    assert.equal(bob.verdict(bob.post('allowed')), 'accepted');
  });

  describe('A5 permissions of one tool', () => {
    const OTHER = '00000000000000c2' as ToolId;

    /** Alice and Bob, a participant, with two chats. */
    function two(seed: number) {
      const team = new Team(seed);
      const alice = team.founder;
      alice.control('addTool', controlBody.addTool(OTHER, 'chat', 'Announcements'));
      const bob = team.join('Bob');
      const set = (scope: SettingScope, allow: boolean | undefined, by = alice) =>
        by.setPerm(scope, 'add', Role.participant, allow);
      /** Posts by Bob in the one chat and in the other, judged when all is known. */
      const posts = () => [bob.post('here'), bob.post('there', OTHER)] as const;
      const verdicts = (ids: readonly DeltaId[], copies = [alice, bob]) => {
        alice.meet(bob);
        const all = copies.map((copy) => ids.map((id) => copy.verdict(id) === 'accepted'));
        for (const other of all) assert.deepEqual(other, all[0]);
        return all[0];
      };
      /** What is said by Alice is known to Bob before he writes. */
      const after = () => {
        bob.meet(alice);
        return verdicts(posts());
      };
      return { team, alice, bob, set, posts, verdicts, after };
    }

    it('A5 what is said of one tool goes before what is said of all of its kind, whichever came first', () => {
      const { set, after } = two(31);
      assert.deepEqual(after(), [true, true]);
      set({ tool: OTHER }, false);
      assert.deepEqual(after(), [true, false]);
      set('chat', true);
      assert.deepEqual(after(), [true, false]);
      set({ tool: OTHER }, true);
      set('chat', false);
      assert.deepEqual(after(), [false, true]);
      set('chat', true);
      assert.deepEqual(after(), [true, true]);
    });

    it('A5 taken back, it is as for all of the kind, and of these as by default', () => {
      const { set, after } = two(32);
      set({ tool: OTHER }, true);
      set('chat', false);
      assert.deepEqual(after(), [false, true]);
      set({ tool: OTHER }, undefined);
      assert.deepEqual(after(), [false, false]);
      set('chat', undefined);
      assert.deepEqual(after(), [true, true]);
    });

    it('A5 a word that reads like a tool is none', () => {
      const { set, after } = two(33);
      set(OTHER, false);
      set(`#${OTHER}`, false);
      assert.deepEqual(after(), [true, true]);
    });

    it('A5 a concurrent denial for the tool voids there, and not in another of its kind', () => {
      const { alice, bob, set, posts, verdicts } = two(34);
      set({ tool: OTHER }, true);
      bob.meet(alice);
      set({ tool: OTHER }, false);
      assert.deepEqual(verdicts(posts()), [true, false]);
    });

    it('A5 a concurrent denial for the kind voids where nothing was said of the tool, and where something was, does not', () => {
      const { alice, bob, set, posts, verdicts, after } = two(35);
      set({ tool: OTHER }, true);
      bob.meet(alice);
      set('chat', false);
      assert.deepEqual(verdicts(posts()), [false, true]);
      assert.deepEqual(after(), [false, true], 'as it is for what has seen the denial');
    });

    it('A5 nobody gets round a denial for the kind by knowing only what once was said of the tool', () => {
      for (const [seed, last] of [
        [36, false],
        [37, undefined],
      ] as const) {
        const { alice, bob, set, posts, verdicts } = two(seed);
        set({ tool: OTHER }, true);
        bob.meet(alice);
        set('chat', false);
        set({ tool: OTHER }, last);
        assert.deepEqual(verdicts(posts()), [false, false]);
      }
    });

    it('A5 a permission for the tool that is concurrent lets nothing through that its kind denies', () => {
      const { alice, bob, set, posts, verdicts } = two(38);
      set('chat', false);
      bob.meet(alice);
      set({ tool: OTHER }, true);
      assert.deepEqual(verdicts(posts()), [false, false]);
    });

    it('A5 said at once by two managers, of one tool a denial stands, and “as for all” is what holds for all', () => {
      const { team, alice, bob, set, after } = two(39);
      const carol = team.join('Carol', alice, Role.manager);
      const atOnce = (one: boolean | undefined, other: boolean | undefined) => {
        set({ tool: OTHER }, one);
        set({ tool: OTHER }, other, carol);
        carol.meet(alice);
        const { allowed } = alice.replica.people.allowance('chat', 'add', Role.participant, OTHER);
        assert.equal(after()?.[1], allowed, 'what is shown is what holds');
        carol.meet(alice, bob);
        return allowed;
      };
      assert.equal(atOnce(true, false), false);
      assert.equal(atOnce(true, undefined), true);
      set('chat', false);
      assert.equal(atOnce(true, undefined), false);
      assert.equal(atOnce(true, true), true);
    });

    it('A5 what is shown of a tool: what holds, what would without a word of its own, and who has said it', () => {
      const { alice, set } = two(40);
      const shown = () => {
        const { allowed, otherwise, isOwn, setBy } = alice.replica.people.allowance(
          'chat',
          'add',
          Role.participant,
          OTHER,
        );
        return [allowed, otherwise, isOwn, setBy.map(({ delta }) => delta.id)] as const;
      };
      assert.deepEqual(shown(), [true, true, false, []]);
      set('chat', false);
      assert.deepEqual(shown(), [false, false, false, []]);
      const own = set({ tool: OTHER }, true);
      assert.deepEqual(shown(), [true, false, true, [own]]);
      const back = set({ tool: OTHER }, undefined);
      assert.deepEqual(shown(), [false, false, false, [back]]);
    });
  });

  it('D9 a deleted tool takes its rows along, whichever came first', () => {
    const team = new Team(17);
    const alice = team.founder;
    const bob = team.join('Bob');
    const before = bob.post('before');
    alice.meet(bob);
    alice.control('deleteTool', controlBody.deleteTool(CHAT));
    const concurrent = bob.post('concurrent');
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      assert.deepEqual(
        [before, concurrent].map((id) => copy.verdict(id)),
        ['unknownTool', 'unknownTool'],
      );
      assert.deepEqual([...copy.replica.fold.rows()], []);
    }
  });

  it('D9 a control delta of a bad form is void, and its author goes on', () => {
    const team = new Team(18);
    const alice = team.founder;
    for (const body of [null, [], [1, 2, 3], ['x'.repeat(300)], 7, 'text', [[[[]]]]]) {
      for (const kind of [
        'admit',
        'setRole',
        'remove',
        'setPerm',
        'invite',
        'revoke',
        'addTool',
        'renameTool',
        'rename',
        'profile',
      ]) {
        assert.equal(alice.verdict(alice.control(kind, body)), 'malformed', `${kind} ${JSON.stringify(body)}`);
      }
    }
    assert.equal(alice.verdict(alice.post('still here')), 'accepted');
  });

  it('A10 a workspace is full with fifty members, and has room again when one is out', () => {
    const team = new Team(19);
    const alice = team.founder;
    const people = Array.from({ length: MAX_MEMBERS + 1 }, (_, i) => team.person(`P${i}`));
    const admits = people.map((person) => alice.admit(person));
    const verdicts = admits.map((id) => alice.verdict(id));
    assert.deepEqual(verdicts.slice(0, MAX_MEMBERS - 1), Array(MAX_MEMBERS - 1).fill('accepted'));
    assert.deepEqual(verdicts.slice(MAX_MEMBERS - 1), ['notPermitted', 'notPermitted']);
    alice.remove(people[0]!);
    assert.equal(alice.verdict(alice.admit(people.at(-1)!)), 'accepted');
    assert.equal(alice.verdict(alice.admit(people[0]!)), 'notPermitted');
  });
});
