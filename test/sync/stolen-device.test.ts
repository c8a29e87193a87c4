/**
 * A4 for devices: what a removed device writes beyond the cut does not count, however early it claims to be. Here Alice has a
 * device that is stolen and one, at least, that is safe; whoever has the stolen one writes what he likes, upon what he likes.
 */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta } from '../../src/sync/delta.ts';
import { Engine } from '../../src/sync/engine.ts';
import { boxEpoch, epochOf } from '../../src/sync/epoch.ts';
import { genesisId, Replica } from '../../src/sync/replica.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson, type Identity, type Person } from '../sim/people.ts';
import { NOW } from './team.ts';

const crypto = nodeCrypto(seededRandom('stolen'));
const NOBODY = feedOf('00'.repeat(32) as DeviceId, 0);

/** Deltas by hand: each device's next one upon the heads that are named, with the credential that is named. */
class Bench {
  readonly alice = makePerson(crypto, 'Alice', 3);
  readonly mallory = makePerson(crypto, 'Mallory', 1);
  readonly safe = this.alice.devices[0]!;
  readonly stolen = this.alice.devices[1]!;
  /** Not in the workspace. */
  readonly spare = this.alice.devices[2]!;
  readonly notice = boxEpoch(crypto, epochOf(crypto, crypto.randomBytes(32)), []);
  readonly runs: Uint8Array[][] = [];
  readonly #last = new Map<DeviceId, Delta>();
  #workspace: WorkspaceId | undefined;

  write(by: Identity, kind: string, body: Value, upon: readonly DeltaId[], credential?: DeltaId): DeltaId {
    const last = this.#last.get(by.device);
    const delta = signDelta(crypto, by.signer, this.#workspace, {
      ...{ generation: 0, seq: (last?.seq ?? 0) + 1, prev: last?.id, deps: [...upon].sort(), credential },
      ...{ time: NOW, tool: undefined, kind, body },
    });
    this.#workspace ??= genesisId(delta);
    this.#last.set(by.device, delta);
    this.runs.push([delta.bytes]);
    return delta.id;
  }

  begin(by: Identity, ...devices: readonly Identity[]): DeltaId {
    const certificates = devices.map(({ certificate }) => certificate);
    return this.write(
      by,
      'genesis',
      controlBody.genesis('W', 'Alice', certificates, this.notice, new Uint8Array(16)),
      [],
    );
  }

  takeOut(by: Identity, target: Identity, upon: readonly DeltaId[], credential: DeltaId): DeltaId {
    return this.write(by, 'removeDevice', controlBody.devices([target.device], this.notice), upon, credential);
  }

  letInMallory(by: Identity, upon: readonly DeltaId[], credential: DeltaId): DeltaId {
    return this.admit(by, this.mallory, this.mallory.devices, upon, credential, Role.manager);
  }

  admit(
    by: Identity,
    person: Person,
    devices: readonly Identity[],
    upon: readonly DeltaId[],
    credential: DeltaId,
    role: Role = Role.participant,
  ): DeltaId {
    const certificates = devices.map(({ certificate }) => certificate);
    const body = controlBody.admit(person.account, role, person.name, certificates, undefined, this.notice);
    return this.write(by, 'admit', body, upon, credential);
  }

  letIn(by: Identity, device: Identity, upon: readonly DeltaId[], credential: DeltaId): DeltaId {
    const body = controlBody.addDevice(device.account, [device.certificate], this.notice);
    return this.write(by, 'addDevice', body, upon, credential);
  }

  /** Of a device that has written nothing, and has all this. */
  engineOf(identity: Identity): Engine {
    const options = { crypto, workspace: this.#workspace!, reducers: [], identity, generation: 0 };
    const engine = new Engine({ ...options, relayable: () => true });
    engine.ingest(this.safe.device, 'direct', this.runs, NOW);
    return engine;
  }

  /** What everybody makes of it, in whatever order it came: one by one as written, the other way round, all at once. */
  judged(): Replica {
    const replicas = [this.runs.map((run) => [run]), this.runs.toReversed().map((run) => [run]), [this.runs]].map(
      (parts) => {
        const replica = new Replica({ crypto, workspace: this.#workspace!, reducers: [], own: NOBODY });
        for (const part of parts) {
          replica.ingest(part);
          // Looked at meanwhile, as windows do.
          assert.ok(replica.roster);
        }
        return replica;
      },
    );
    const [first, ...others] = replicas.map((replica) =>
      [...replica.nodes()].map(({ delta }) => [delta.id, replica.verdictOf(delta.id)]).sort(),
    );
    for (const other of others) assert.deepEqual(other, first);
    return replicas[0]!;
  }
}

describe('A4 K2 a stolen device', () => {
  it('A4 lets nobody in with an admit from before its removal, as it says', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    bench.write(safe, 'rename', controlBody.rename('a'), [], genesis);
    bench.takeOut(safe, stolen, [], genesis);
    const admit = bench.letInMallory(stolen, [genesis], genesis);
    const replica = bench.judged();
    assert.equal(replica.verdictOf(admit), 'cutOff');
    assert.equal(replica.roster.members.has(bench.mallory.account), false);
  });

  it('A4 lets no further device in either, and what that one lets in is not in', () => {
    const bench = new Bench();
    const { safe, stolen, spare } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    bench.write(safe, 'rename', controlBody.rename('a'), [], genesis);
    bench.write(safe, 'rename', controlBody.rename('b'), [], genesis);
    bench.takeOut(safe, stolen, [], genesis);
    const added = bench.letIn(stolen, spare, [genesis], genesis);
    const admit = bench.letInMallory(spare, [added], genesis);
    const replica = bench.judged();
    assert.equal(replica.verdictOf(added), 'cutOff');
    assert.equal(replica.verdictOf(admit), 'noCredential');
    assert.deepEqual([...replica.roster.devices.keys()], [safe.device]);
  });

  it('A4 of three of which each takes the next one out none lets anybody in beyond that, however high it says that it stands (world “merlin.3430”)', () => {
    const heights = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
      [1, 1, 1],
    ] as const;
    for (const high of heights) {
      const bench = new Bench();
      const { safe, stolen, spare } = bench;
      const devices = [safe, stolen, spare];
      const genesis = bench.begin(safe, ...devices);
      const admits = devices.map((device, i) => {
        const upon = device === safe ? [] : [genesis];
        const person = makePerson(crypto, `Puppet ${i}`, 1);
        return bench.admit(device, person, person.devices, upon, genesis);
      });
      const words = devices.map((device, i) => {
        for (let n = 0; n < high[i]!; n++) bench.write(device, 'ack', controlBody.ack(), [], genesis);
        return bench.takeOut(device, devices[(i + 1) % 3]!, [], genesis);
      });
      const replica = bench.judged();
      const said = (ids: readonly DeltaId[]) => ids.map((id) => replica.verdictOf(id));
      assert.deepEqual(said(words), ['accepted', 'accepted', 'accepted'], high.join());
      assert.deepEqual(said(admits), ['cutOff', 'cutOff', 'cutOff'], high.join());
      assert.equal(replica.roster.devices.size, 0);
    }
  });

  it('A4 K2 does not let itself in again', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    const out = bench.takeOut(safe, stolen, [], genesis);
    const back = bench.letIn(stolen, stolen, [out], genesis);
    const admit = bench.letInMallory(stolen, [], genesis);
    const replica = bench.judged();
    assert.deepEqual([replica.verdictOf(back), replica.verdictOf(admit)], ['cutOff', 'cutOff']);
    assert.equal(replica.roster.gone.has(stolen.device), true);
  });

  it('A4 A6 takes out no third device, though its word comes before that by which it is out, and reaches what was said earlier', () => {
    for (const isFirst of [true, false]) {
      const bench = new Bench();
      const { safe, stolen, spare: third } = bench;
      const genesis = bench.begin(safe, safe, stolen, third);
      const [bob] = bench.mallory.devices;
      const admit = bench.admit(third, bench.mallory, [bob!], [genesis], genesis);
      bench.write(stolen, 'rename', controlBody.rename('a'), [genesis], genesis);
      const word = bench.takeOut(stolen, third, [], genesis);
      for (let i = 0; i < (isFirst ? 3 : 0); i++) bench.write(safe, 'rename', controlBody.rename('b'), [], genesis);
      const out = bench.takeOut(safe, stolen, [], genesis);
      const replica = bench.judged();
      assert.deepEqual(
        [admit, word, out].map((id) => replica.verdictOf(id)),
        ['accepted', 'cutOff', 'accepted'],
      );
      assert.deepEqual([...replica.roster.devices.keys()].sort(), [safe.device, third.device, bob!.device].sort());
    }
  });

  it('A4 A6 takes nothing back of what whom it would have taken out says of another', () => {
    const bench = new Bench();
    const [safe, stolen, third, lost] = makePerson(crypto, 'Ann', 4).devices as [
      Identity,
      Identity,
      Identity,
      Identity,
    ];
    const genesis = bench.begin(safe, safe, stolen, third, lost);
    const admit = bench.admit(lost, bench.mallory, bench.mallory.devices, [genesis], genesis);
    const say = (by: Identity, upon: readonly DeltaId[]) =>
      bench.write(by, 'rename', controlBody.rename('a'), upon, genesis);
    say(third, [genesis]);
    const ofLost = bench.takeOut(third, lost, [], genesis);
    for (let i = 0; i < 3; i++) say(stolen, i === 0 ? [genesis] : []);
    const ofThird = bench.takeOut(stolen, third, [], genesis);
    for (let i = 0; i < 5; i++) say(safe, []);
    const ofStolen = bench.takeOut(safe, stolen, [], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [admit, ofLost, ofThird, ofStolen].map((id) => replica.verdictOf(id)),
      ['cutOff', 'accepted', 'cutOff', 'accepted'],
    );
  });

  it('A4 A6 I4 keeps nobody out by a word that is void whom a device has let in that it would have taken out', () => {
    const bench = new Bench();
    const ann = makePerson(crypto, 'Ann', 6).devices;
    const [first, stolen, safe, second, third, old] = ann as [
      Identity,
      Identity,
      Identity,
      Identity,
      Identity,
      Identity,
    ];
    const genesis = bench.begin(first, first, stolen, safe, old);
    const say = (by: Identity, upon: readonly DeltaId[]) =>
      bench.write(by, 'rename', controlBody.rename('a'), upon, genesis);
    const letIn = bench.letIn(first, second, [], genesis);
    const added = bench.letIn(second, third, [letIn], genesis);
    const ofOld = bench.admit(old, bench.mallory, bench.mallory.devices, [genesis], genesis);
    const word = bench.takeOut(third, old, [added], genesis);
    for (let i = 0; i < 6; i++) say(stolen, i === 0 ? [genesis] : []);
    const ofStolen = bench.takeOut(stolen, first, [], genesis);
    for (let i = 0; i < 10; i++) say(safe, i === 0 ? [genesis] : []);
    const out = bench.takeOut(safe, stolen, [], genesis);
    const said = say(third, []);
    const replica = bench.judged();
    assert.deepEqual(
      [letIn, added, word, said, out].map((id) => replica.verdictOf(id)),
      ['accepted', 'accepted', 'accepted', 'accepted', 'accepted'],
    );
    assert.deepEqual(
      [ofStolen, ofOld].map((id) => replica.verdictOf(id)),
      ['cutOff', 'cutOff'],
    );
  });

  it('A4 A6 I4 a device that nothing lets in takes out none of its person’s, whatever they have said meanwhile', () => {
    for (const saysMore of [true, false]) {
      const bench = new Bench();
      const { safe, stolen, spare } = bench;
      const guest = bench.mallory.devices[0]!;
      const dave = makePerson(crypto, 'Dave', 1);
      const genesis = bench.begin(safe, safe, stolen);
      bench.takeOut(safe, stolen, [], genesis);
      const admit = bench.admit(safe, bench.mallory, [guest], [], genesis, Role.guest);
      const added = bench.letIn(guest, spare, [admit], admit);
      const word = bench.takeOut(spare, safe, [added], genesis);
      const said = saysMore
        ? [bench.admit(safe, dave, dave.devices, [], genesis), bench.letIn(safe, stolen, [], genesis)]
        : [];
      const replica = bench.judged();
      assert.deepEqual(
        [added, word, ...said].map((id) => replica.verdictOf(id)),
        ['notPermitted', 'noCredential', ...said.map(() => 'accepted')],
      );
      assert.ok(replica.roster.devices.has(safe.device));
    }
  });

  it('A4 is not safe by taking the safe one out first, as it says: both are out', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    bench.write(safe, 'rename', controlBody.rename('a'), [], genesis);
    const out = bench.takeOut(safe, stolen, [], genesis);
    const revenge = bench.takeOut(stolen, safe, [genesis], genesis);
    const admit = bench.letInMallory(stolen, [], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [out, revenge, admit].map((id) => replica.verdictOf(id)),
      ['accepted', 'accepted', 'cutOff'],
    );
    assert.equal(replica.roster.devices.size, 0);
  });

  it('A4 takes nobody else out than who has taken it out, be it in one word with him or before (world “jade.2588”)', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const [bob] = bench.mallory.devices;
    const genesis = bench.begin(safe, safe, stolen);
    const admit = bench.admit(safe, bench.mallory, [bob!], [], genesis);
    const takes = (deps: readonly DeltaId[], ...devices: readonly { device: DeviceId }[]) => {
      const body = controlBody.devices(
        devices.map(({ device }) => device),
        bench.notice,
      );
      return bench.write(stolen, 'removeDevice', body, deps, genesis);
    };
    const [alone, both] = [takes([admit], bob!), takes([], bob!, safe)];
    const out = bench.takeOut(safe, stolen, [], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [alone, both, out].map((id) => replica.verdictOf(id)),
      ['cutOff', 'notPermitted', 'accepted'],
    );
    assert.deepEqual(new Set(replica.roster.devices.keys()), new Set([safe.device, bob!.device]));
  });

  it('A4 devices of one’s own, and of others, are not taken out by one word', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const bob = bench.mallory.devices[0]!;
    const genesis = bench.begin(safe, safe, stolen);
    bench.admit(safe, bench.mallory, [bob], [], genesis);
    const drop = bench.write(safe, 'drop', controlBody.devices([stolen.device, bob.device], bench.notice), [], genesis);
    const replica = bench.judged();
    assert.equal(replica.verdictOf(drop), 'notPermitted');
    assert.equal(replica.roster.devices.size, 3);
  });

  it('A4 who knows that he is out takes nobody out', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    const out = bench.takeOut(safe, stolen, [], genesis);
    const revenge = bench.takeOut(stolen, safe, [out], genesis);
    const replica = bench.judged();
    assert.equal(replica.verdictOf(revenge), 'cutOff');
    assert.deepEqual([...replica.roster.devices.keys()], [safe.device]);
  });

  it('A4 is nobody with a role that its account was given since', () => {
    const bench = new Bench();
    const bob = bench.mallory.devices[0]!;
    const { safe, stolen } = bench;
    const genesis = bench.begin(bob, bob);
    const admit = bench.admit(bob, bench.alice, [safe, stolen], [], genesis);
    bench.takeOut(safe, stolen, [admit], admit);
    // Who promotes her has not heard of it.
    const promoted = bench.write(bob, 'setRole', controlBody.setRole(bench.alice.account, Role.manager), [], genesis);
    const his = bench.write(
      stolen,
      'setPerm',
      controlBody.setPerm('chat', 'add', Role.guest, true),
      [promoted],
      promoted,
    );
    const hers = bench.write(
      safe,
      'setPerm',
      controlBody.setPerm('chat', 'add', Role.guest, false),
      [promoted],
      promoted,
    );
    const replica = bench.judged();
    assert.deepEqual(
      [his, hers].map((id) => replica.verdictOf(id)),
      ['cutOff', 'accepted'],
    );
  });

  it('A4 A6 what nothing rests on is judged alike, whether it comes before the removal or with it', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    const profile = bench.write(stolen, 'profile', controlBody.profile('Eve', '', ''), [genesis], genesis);
    bench.write(safe, 'rename', controlBody.rename('a'), [], genesis);
    bench.takeOut(safe, stolen, [], genesis);
    assert.equal(bench.judged().verdictOf(profile), 'cutOff');
  });

  it('K2 A4 one is out whom a device had let in that was out, by the word of a senior (world “ash.7676”)', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const [bob, founder] = [bench.mallory.devices[0]!, makePerson(crypto, 'Carol', 1).devices[0]!];
    const genesis = bench.begin(founder, founder);
    const alice = bench.admit(founder, bench.alice, [safe, stolen], [], genesis, Role.manager);
    const admit = bench.admit(safe, bench.mallory, [bob], [alice], alice);
    const drop = bench.write(founder, 'drop', controlBody.devices([bob.device], bench.notice), [admit], genesis);
    assert.equal(bench.engineOf(bob).expulsion?.delta.id, drop);
    bench.takeOut(stolen, safe, [alice], alice);
    const replica = bench.judged();
    assert.deepEqual(
      [admit, drop].map((id) => replica.verdictOf(id)),
      ['cutOff', 'accepted'],
    );
    assert.equal(replica.roster.gone.has(bob.device), false, 'nothing has ever let it in');
    assert.equal(bench.engineOf(bob).expulsion?.delta.id, drop);
  });

  it('A6 L7 what nothing rests on waits for the verdict on who let its device in again', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const bob = bench.mallory.devices[0]!;
    const genesis = bench.begin(safe, safe, stolen);
    const admit = bench.admit(safe, bench.mallory, [bob], [], genesis);
    const drop = bench.write(safe, 'drop', controlBody.devices([stolen.device], bench.notice), [], genesis);
    // Bob does not know that he is out himself when he lets it in.
    const back = bench.letIn(bob, stolen, [drop], admit);
    bench.write(safe, 'remove', controlBody.remove(bench.mallory.account, bench.notice), [], genesis);
    const rename = bench.write(stolen, 'rename', controlBody.rename('Eve was here'), [back], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [back, rename].map((id) => replica.verdictOf(id)),
      ['cutOff', 'cutOff'],
    );
    assert.equal(replica.roster.name, 'W');
  });

  it('K2 L7 what was dropped and taken out is out by the word that not every member may undo', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    bench.write(safe, 'drop', controlBody.devices([stolen.device], bench.notice), [], genesis);
    assert.equal(bench.judged().roster.gone.get(stolen.device)?.delta.kind, 'drop');
    bench.takeOut(safe, stolen, [], genesis);
    assert.equal(bench.judged().roster.gone.get(stolen.device)?.delta.kind, 'removeDevice');
  });

  it('K2 L7 what was dropped hears also what cuts off who has let it in again, and what was taken out does not', () => {
    for (const kind of ['drop', 'removeDevice']) {
      const bench = new Bench();
      const { safe, stolen, spare } = bench;
      const genesis = bench.begin(safe, safe, stolen, spare);
      const out = bench.write(safe, kind, controlBody.devices([stolen.device], bench.notice), [], genesis);
      const back = bench.letIn(spare, stolen, [out], genesis);
      const cut = bench.takeOut(safe, spare, [], genesis);
      const replica = bench.judged();
      assert.equal(replica.verdictOf(back), 'cutOff');
      assert.deepEqual(
        replica.roster.wordsOut.get(stolen.device)!.map(({ delta }) => delta.id),
        kind === 'drop' ? [out, cut] : [out],
      );
    }
  });

  for (const kind of ['drop', 'removeDevice'])
    it(`A4 A10 a role given by a senior lets in again nothing that was taken out, by an admission that is void (${kind}, world “umber.18450”)`, () => {
      const bench = new Bench();
      const { safe, stolen } = bench;
      const [founder] = makePerson(crypto, 'Carol', 1).devices;
      const [bob] = bench.mallory.devices;
      const genesis = bench.begin(founder!, founder!);
      const junior = bench.admit(founder!, bench.mallory, [bob!], [], genesis);
      const alice = bench.admit(bob!, bench.alice, [safe, stolen], [junior], junior);
      const out = bench.write(founder!, kind, controlBody.devices([stolen.device], bench.notice), [alice], genesis);
      // She is a member: what Bob says is void, and is judged after what Carol says, who is senior to him.
      const again = bench.admit(bob!, bench.alice, [stolen], [out], junior);
      const raise = controlBody.setRole(bench.alice.account, Role.manager);
      const raised = bench.write(founder!, 'setRole', raise, [again], genesis);
      const said = bench.write(
        stolen,
        'setPerm',
        controlBody.setPerm('chat', 'add', Role.guest, true),
        [raised],
        raised,
      );
      const hers = bench.write(safe, 'rename', controlBody.rename('hers'), [raised], raised);
      const replica = bench.judged();
      assert.deepEqual(
        [out, again, raised, said, hers].map((id) => replica.verdictOf(id)),
        ['accepted', 'noTarget', 'accepted', 'cutOff', 'accepted'],
      );
      assert.equal(replica.roster.gone.get(stolen.device)?.delta.id, out);
      assert.equal(bench.engineOf(stolen).expulsion?.delta.id, out);
    });

  it('A10 a role given by a senior keeps in what an admission that is void has named, but for what was taken out before', () => {
    const bench = new Bench();
    const { safe, stolen, spare } = bench;
    const [founder, dave] = makePerson(crypto, 'Carol', 2).devices;
    const [bob] = bench.mallory.devices;
    const genesis = bench.begin(founder!, founder!, dave!);
    const junior = bench.admit(founder!, bench.mallory, [bob!], [], genesis);
    const alice = bench.admit(founder!, bench.alice, [safe, stolen], [], genesis);
    const out = bench.write(dave!, 'drop', controlBody.devices([stolen.device], bench.notice), [alice], genesis);
    const removed = bench.write(dave!, 'remove', controlBody.remove(bench.alice.account, bench.notice), [], genesis);
    const again = bench.admit(bob!, bench.alice, [stolen, spare], [removed], junior);
    // Of this the other device of Carol’s has not heard.
    bench.write(founder!, 'remove', controlBody.remove(bench.mallory.account, bench.notice), [], genesis);
    const raise = controlBody.setRole(bench.alice.account, Role.manager);
    const raised = bench.write(dave!, 'setRole', raise, [again], genesis);
    const said = bench.write(stolen, 'rename', controlBody.rename('out'), [raised], raised);
    const kept = bench.write(spare, 'rename', controlBody.rename('kept'), [raised], raised);
    const replica = bench.judged();
    assert.deepEqual(
      [removed, again, raised, said, kept].map((id) => replica.verdictOf(id)),
      ['accepted', 'cutOff', 'accepted', 'cutOff', 'accepted'],
    );
    assert.equal(replica.roster.gone.get(stolen.device)?.delta.id, out);
    assert.equal(replica.roster.devices.has(spare.device), true);
  });

  it('A10 I4 a role given by a senior lets in no device of who is in anyhow, by an admission that is void', () => {
    const bench = new Bench();
    const { safe, spare } = bench;
    const [founder] = makePerson(crypto, 'Carol', 1).devices;
    const [bob] = bench.mallory.devices;
    const genesis = bench.begin(founder!, founder!);
    const guest = bench.admit(founder!, bench.mallory, [bob!], [], genesis, Role.guest);
    const dave = makePerson(crypto, 'Dave', 1);
    const junior = bench.admit(founder!, dave, dave.devices, [], genesis);
    const alice = bench.admit(dave.devices[0]!, bench.alice, [safe], [junior], junior);
    const named = bench.admit(bob!, bench.alice, [spare], [alice], guest, Role.guest);
    const raise = controlBody.setRole(bench.alice.account, Role.manager);
    const raised = bench.write(founder!, 'setRole', raise, [named], genesis);
    const said = bench.write(spare, 'rename', controlBody.rename('spare'), [raised], raised);
    const replica = bench.judged();
    assert.deepEqual(
      [named, raised, said].map((id) => replica.verdictOf(id)),
      ['notPermitted', 'accepted', 'noCredential'],
    );
    assert.equal(replica.roster.devices.has(spare.device), false);
  });

  it('A10 I4 a role keeps in what an admission that is void has named, though another role had been given before', () => {
    const bench = new Bench();
    const { safe } = bench;
    const [founder, other] = makePerson(crypto, 'Carol', 2).devices;
    const [bob] = bench.mallory.devices;
    const dave = makePerson(crypto, 'Dave', 1);
    const genesis = bench.begin(founder!, founder!, other!);
    const junior = bench.admit(founder!, bench.mallory, [bob!], [], genesis);
    const manager = bench.admit(founder!, dave, dave.devices, [], genesis, Role.manager);
    const alice = bench.admit(bob!, bench.alice, [safe], [junior], junior);
    // Of this nobody else has heard.
    bench.write(other!, 'remove', controlBody.remove(bench.mallory.account, bench.notice), [junior], genesis);
    const roleOf = (role: Role) => controlBody.setRole(bench.alice.account, role);
    const deps = [alice, manager];
    const first = bench.write(dave.devices[0]!, 'setRole', roleOf(Role.participant), deps, manager);
    const raised = bench.write(founder!, 'setRole', roleOf(Role.manager), [first], genesis);
    const said = bench.write(safe, 'rename', controlBody.rename('said'), [raised], raised);
    const replica = bench.judged();
    assert.deepEqual(
      [alice, first, raised, said].map((id) => replica.verdictOf(id)),
      ['cutOff', 'accepted', 'accepted', 'accepted'],
    );
    assert.equal(replica.roster.devices.has(safe.device), true);
  });

  for (const kind of ['drop', 'removeDevice', 'remove'])
    for (const knowsIt of [false, true])
      it(`K2 A4 who is out hears what cuts off who had taken out the author of the word (${kind}${knowsIt ? ', which that has seen' : ''}, world “umber.10958”)`, () => {
        const bench = new Bench();
        const { safe, stolen, spare, notice } = bench;
        const bob = bench.mallory.devices[0]!;
        const genesis = bench.begin(safe, safe, stolen, spare);
        const admit = bench.admit(safe, bench.mallory, [bob], [], genesis);
        const body =
          kind === 'remove' ? controlBody.remove(bob.account, notice) : controlBody.devices([bob.device], notice);
        const out = bench.write(spare, kind, body, [admit], genesis);
        // Who hears this, and not the other, holds Bob for a member.
        const attempt = bench.write(stolen, 'drop', controlBody.devices([spare.device], notice), [genesis], genesis);
        const cut = bench.takeOut(safe, stolen, knowsIt ? [out] : [], genesis);
        const replica = bench.judged();
        assert.deepEqual(
          [out, attempt, cut].map((id) => replica.verdictOf(id)),
          ['accepted', 'cutOff', 'accepted'],
        );
        assert.equal(replica.roster.gone.get(bob.device)?.delta.id, out);
        // What comes after a word that is no drop is not for him.
        assert.deepEqual(
          replica.roster.wordsOut.get(bob.device)!.map(({ delta }) => delta.id),
          knowsIt && kind !== 'drop' ? [out] : [out, cut],
        );
      });

  it('K2 A4 who is out hears likewise what cuts off who had removed the person that took him out', () => {
    const bench = new Bench();
    const { safe, stolen, spare, notice } = bench;
    const [bob, carol] = [bench.mallory, makePerson(crypto, 'Carol', 1)];
    const genesis = bench.begin(safe, safe, stolen, spare);
    const manager = bench.admit(safe, carol, carol.devices, [], genesis, Role.manager);
    const admit = bench.admit(safe, bob, bob.devices, [], genesis);
    const out = bench.write(carol.devices[0]!, 'remove', controlBody.remove(bob.account, notice), [admit], manager);
    const attempt = bench.write(stolen, 'remove', controlBody.remove(carol.account, notice), [admit], genesis);
    const cut = bench.takeOut(safe, stolen, [], genesis);
    const replica = bench.judged();
    assert.equal(replica.verdictOf(attempt), 'cutOff');
    assert.deepEqual(
      replica.roster.wordsOut.get(bob.devices[0]!.device)!.map(({ delta }) => delta.id),
      [out, cut],
    );
  });

  for (const isEarly of [true, false])
    it(`A7 I4 a device that it has let in does not leave for its person (its word ${isEarly ? 'first' : 'last'} in order)`, () => {
      const bench = new Bench();
      const { safe, stolen, spare } = bench;
      const genesis = bench.begin(safe, safe, stolen);
      const before = isEarly ? [] : [bench.write(stolen, 'rename', controlBody.rename('later'), [genesis], genesis)];
      const added = bench.letIn(stolen, spare, before.length > 0 ? [] : [genesis], genesis);
      const leave = bench.write(spare, 'leave', controlBody.leave(), [added], genesis);
      if (isEarly) bench.write(safe, 'rename', controlBody.rename('W'), [], genesis);
      const out = bench.takeOut(safe, stolen, [], genesis);
      const replica = bench.judged();
      assert.deepEqual(
        [added, leave, out].map((id) => replica.verdictOf(id)),
        ['cutOff', 'noCredential', 'accepted'],
      );
      assert.equal(replica.roster.members.size, 1);
    });

  it('D9 A6 A7 who is let in again acts, though who has let him in stands by another word than it seems at first (world “ash.4177”)', () => {
    const bench = new Bench();
    const { safe: dropped, stolen: other } = bench;
    const bob = bench.mallory.devices[0]!;
    const genesis = bench.begin(dropped, dropped, other);
    // Beyond the cut of the drop, which is judged later: till then it is the better credential of the two.
    const beyond = bench.admit(dropped, bench.mallory, [bob], [], genesis);
    bench.write(other, 'rename', controlBody.rename('W'), [genesis], genesis);
    const admit = bench.admit(other, bench.mallory, [bob], [], genesis);
    const drop = bench.write(other, 'drop', controlBody.devices([dropped.device], bench.notice), [], genesis);
    const back = bench.letIn(bob, dropped, [beyond, drop], admit);
    const promised = controlBody.setPerm('chat', 'add', Role.guest, true);
    assert.equal(
      bench.judged().wouldRefuse(dropped.device, [{ tool: undefined, kind: 'setPerm', body: promised }], 0),
      undefined,
    );
    const said = bench.write(dropped, 'setPerm', promised, [back], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [beyond, admit, drop, back, said].map((id) => replica.verdictOf(id)),
      ['cutOff', 'accepted', 'accepted', 'accepted', 'accepted'],
    );
    assert.equal(replica.roster.devices.has(dropped.device), true);
  });

  it('D9 A7 a device that was taken out and let in again is not promised a leave, which would be void; another of the account is', () => {
    const bench = new Bench();
    const { safe, stolen } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    bench.takeOut(safe, stolen, [], genesis);
    bench.letIn(safe, stolen, [], genesis);
    const entry = { tool: undefined, kind: 'leave', body: controlBody.leave() };
    const replica = bench.judged();
    assert.deepEqual(
      [stolen, safe].map(({ device }) => replica.wouldRefuse(device, [entry], 0)),
      ['cutOff', undefined],
    );
  });

  it('A6 L7 lets nobody in upon the word of a junior who was out himself when he let it in again, though it is judged before that', () => {
    const bench = new Bench();
    const { safe, stolen, spare } = bench;
    const bob = bench.mallory.devices[0]!;
    const genesis = bench.begin(safe, safe, stolen);
    const admit = bench.admit(safe, bench.mallory, [bob], [], genesis);
    const drop = bench.write(safe, 'drop', controlBody.devices([stolen.device], bench.notice), [], genesis);
    const back = bench.letIn(bob, stolen, [drop], admit);
    const added = bench.letIn(stolen, spare, [back], genesis);
    assert.deepEqual(
      [back, added].map((id) => bench.judged().verdictOf(id)),
      ['accepted', 'accepted'],
    );
    bench.write(safe, 'remove', controlBody.remove(bench.mallory.account, bench.notice), [], genesis);
    assert.deepEqual(
      [back, added].map((id) => bench.judged().verdictOf(id)),
      ['cutOff', 'cutOff'],
    );
  });

  it('D9 A7 who was taken out, removed, and admitted anew with the same device is promised his leave', () => {
    const bench = new Bench();
    const { safe } = bench;
    const bob = bench.mallory.devices[0]!;
    const genesis = bench.begin(safe, safe);
    const admit = bench.admit(safe, bench.mallory, [bob], [], genesis);
    bench.takeOut(safe, bob, [], genesis);
    bench.write(safe, 'remove', controlBody.remove(bench.mallory.account, bench.notice), [], genesis);
    const again = bench.admit(safe, bench.mallory, [bob], [], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [admit, again].map((id) => replica.verdictOf(id)),
      ['accepted', 'accepted'],
    );
    const entry = { tool: undefined, kind: 'leave', body: controlBody.leave() };
    assert.equal(replica.wouldRefuse(bob.device, [entry], 0), undefined);
  });

  it('A7 I4 a device that was added speaks for its account when it leaves', () => {
    const bench = new Bench();
    const { safe, stolen, spare } = bench;
    const genesis = bench.begin(safe, safe, stolen);
    const added = bench.letIn(safe, spare, [], genesis);
    const leave = bench.write(spare, 'leave', controlBody.leave(), [added], genesis);
    const replica = bench.judged();
    assert.equal(replica.verdictOf(leave), 'accepted');
    assert.equal(replica.roster.members.size, 0);
  });
});

describe('A10 L7 devices and seniority', () => {
  const carol = makePerson(crypto, 'Carol', 2);
  const [first, second] = [carol.devices[0]!, carol.devices[1]!];

  it('D9 A6 a device that was taken out and let in again is promised nothing that is judged before that, under a role given since; another of the account is (world “hazel.397”)', () => {
    const bench = new Bench();
    const { safe } = bench;
    const genesis = bench.begin(safe, safe);
    const admit = bench.admit(safe, carol, [first, second], [], genesis);
    const out = bench.takeOut(safe, first, [], genesis);
    const back = bench.letIn(second, first, [out], admit);
    const promoted = bench.write(safe, 'setRole', controlBody.setRole(carol.account, Role.manager), [back], genesis);
    const replica = bench.judged();
    const body = controlBody.setPerm('chat', 'add', Role.guest, false);
    const refusals = (device: DeviceId) =>
      [controlBody.rename('b'), body].map((value, i) =>
        replica.wouldRefuse(device, [{ tool: undefined, kind: i === 0 ? 'rename' : 'setPerm', body: value }], 0),
      );
    assert.deepEqual(refusals(first.device), [undefined, 'cutOff']);
    assert.deepEqual(refusals(second.device), [undefined, undefined]);
    const said = [first, second].map((device) => bench.write(device, 'setPerm', body, [promoted], promoted));
    assert.deepEqual(
      said.map((id) => bench.judged().verdictOf(id)),
      ['cutOff', 'accepted'],
    );
  });

  it('A1 A6 what cites something that is not in its past is void for ever, and lets nobody speak, whenever that comes', () => {
    const bench = new Bench();
    const { safe } = bench;
    const mallory = bench.mallory.devices[0]!;
    const dave = makePerson(crypto, 'Dave', 1);
    const eve = makePerson(crypto, 'Eve', 1);
    const genesis = bench.begin(safe, safe);
    const manager = bench.letInMallory(safe, [], genesis);
    bench.admit(safe, eve, eve.devices, [], genesis, Role.guest);
    const ofDave = bench.admit(safe, dave, dave.devices, [], genesis);
    const admit = bench.admit(safe, carol, [first], [], genesis);
    // Made beforehand, so that its id is known, and told when all have heard the rest.
    const later = bench.write(
      dave.devices[0]!,
      'setRole',
      controlBody.setRole(dave.account, Role.guest),
      [admit],
      ofDave,
    );
    const held = bench.runs.pop()!;
    const added = bench.letIn(eve.devices[0]!, second, [admit], later);
    const leave = bench.write(second, 'leave', controlBody.leave(), [added], admit);
    const again = bench.admit(mallory, carol, [first], [leave], manager);
    assert.equal(bench.judged().verdictOf(again), 'noTarget');
    bench.runs.push(held);
    assert.equal(bench.judged().verdictOf(again), 'noTarget');
  });

  it('A10 a senior takes out devices that juniors have let in', () => {
    const bench = new Bench();
    const { safe } = bench;
    const bob = bench.mallory.devices[0]!;
    const genesis = bench.begin(safe, safe);
    const manager = bench.letInMallory(safe, [], genesis);
    const admit = bench.admit(bob, carol, [first], [manager], manager);
    const added = bench.letIn(first, second, [admit], admit);
    const out = bench.takeOut(safe, second, [added], genesis);
    const freeze = controlBody.freeze(first.device, new Map([[feedOf(first.device, 0), 1]]), bench.notice);
    const frozen = bench.write(safe, 'freeze', freeze, [], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [admit, out, frozen].map((id) => replica.verdictOf(id)),
      ['accepted', 'accepted', 'accepted'],
    );
    assert.deepEqual([...replica.roster.gone.keys()].sort(), [first.device, second.device].sort());
  });

  it('L7 I4 nobody lets in a device of somebody else upon a drop by who may drop none', () => {
    for (const isHers of [true, false]) {
      const bench = new Bench();
      const { safe, spare, mallory } = bench;
      const bob = mallory.devices[0]!;
      const genesis = bench.begin(safe, safe);
      bench.admit(safe, mallory, [bob], [], genesis);
      const guest = bench.admit(safe, carol, [first], [], genesis, Role.guest);
      const eve = makePerson(crypto, 'Eve', 1);
      const promoted = bench.write(safe, 'setRole', controlBody.setRole(mallory.account, Role.manager), [], genesis);
      const manager = bench.admit(bob, eve, eve.devices, [promoted], promoted, Role.manager);
      const body = controlBody.devices([spare.device], bench.notice);
      const drop = bench.write(first, 'drop', body, [manager], isHers ? guest : manager);
      const added = bench.letIn(bob, spare, [drop], promoted);
      const replica = bench.judged();
      assert.deepEqual([replica.verdictOf(added), replica.roster.devices.has(spare.device)], ['notPermitted', false]);
    }
  });

  it('L7 I4 nor upon a drop by a manager, of what he may not drop', () => {
    for (const isNamed of [true, false]) {
      const bench = new Bench();
      const { safe, spare, mallory } = bench;
      const bob = mallory.devices[0]!;
      const eve = makePerson(crypto, 'Eve', 1);
      const genesis = bench.begin(safe, safe);
      bench.admit(safe, mallory, [bob], [], genesis);
      const guest = bench.admit(safe, carol, [first], [], genesis, Role.guest);
      const promoted = bench.write(safe, 'setRole', controlBody.setRole(mallory.account, Role.manager), [], genesis);
      const manager = bench.admit(bob, eve, eve.devices, [promoted], promoted, Role.manager);
      const named = bench.letIn(first, spare, [promoted], guest);
      const body = controlBody.devices([spare.device], bench.notice);
      const upon = isNamed ? [manager, named] : [manager];
      const drop = bench.write(eve.devices[0]!, 'drop', body, upon, manager);
      const added = bench.letIn(bob, spare, [drop], promoted);
      const replica = bench.judged();
      assert.deepEqual([replica.verdictOf(added), replica.roster.devices.has(spare.device)], ['notPermitted', false]);
    }
  });

  it('L7 a senior lets in again what a junior has dropped of somebody whom another had taken down below him', () => {
    const bench = new Bench();
    const { safe } = bench;
    const [bob, dave, eve] = ['Bob', 'Dave', 'Eve'].map((name) => makePerson(crypto, name, 1)) as [
      Person,
      Person,
      Person,
    ];
    const genesis = bench.begin(safe, safe);
    const ofBob = bench.admit(safe, bob, bob.devices, [], genesis, Role.manager);
    bench.admit(safe, dave, dave.devices, [], genesis, Role.manager);
    const ofEve = bench.admit(safe, eve, eve.devices, [], genesis, Role.manager);
    const demotion = controlBody.setRole(dave.account, Role.guest);
    const down = bench.write(bob.devices[0]!, 'setRole', demotion, [ofEve], ofBob);
    const [device] = dave.devices;
    const drop = bench.write(
      eve.devices[0]!,
      'drop',
      controlBody.devices([device!.device], bench.notice),
      [down],
      ofEve,
    );
    const added = bench.letIn(safe, device!, [drop], genesis);
    const replica = bench.judged();
    assert.deepEqual(
      [drop, added].map((id) => replica.verdictOf(id)),
      ['accepted', 'accepted'],
    );
    assert.ok(replica.roster.devices.has(device!.device));
  });

  it('L7 a senior lets in again what a junior has dropped, and not what a junior has taken out', () => {
    for (const [kind, verdict] of [
      ['drop', 'accepted'],
      ['removeDevice', 'notPermitted'],
    ] as const) {
      const bench = new Bench();
      const { safe } = bench;
      const bob = bench.mallory.devices[0]!;
      const genesis = bench.begin(safe, safe);
      const manager = bench.letInMallory(safe, [], genesis);
      const admit = bench.admit(safe, carol, [first], [], genesis);
      const out = bench.write(bob, kind, controlBody.devices([first.device], bench.notice), [admit], manager);
      const back = bench.letIn(safe, first, [out], genesis);
      const replica = bench.judged();
      assert.equal(replica.verdictOf(back), verdict);
      assert.equal(replica.roster.devices.has(first.device), verdict === 'accepted');
    }
  });
});
