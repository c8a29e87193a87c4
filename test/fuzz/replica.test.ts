/** Deltas that a member's own key has signed and that hold what no client of ours writes: read, judged and folded (D9, D10). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { toHex } from '../../src/base/bytes.ts';
import type { DeltaId, FeedId, ToolId } from '../../src/base/ids.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { controlBody, readControl, Role } from '../../src/sync/control.ts';
import { feedOf, readDelta } from '../../src/sync/delta.ts';
import { Engine } from '../../src/sync/engine.ts';
import { decodeMessage, encodeMessage, markOf, type Message } from '../../src/sync/messages.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesBody } from '../../src/tools/files/deltas.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { CONTROL_BODIES, MESSAGES } from '../fakes/every-kind.ts';
import { CHAT, contentOf, FILES, NOW, stateOf, Team, type Copy } from '../sync/team.ts';
import { rowsOf } from '../tools/stored-rows.ts';
import { attack, bounded, fixed, TIMEOUT_MS } from './attack.ts';
import { changedItems } from './mutations.ts';

const team = new Team('fuzz replica');
const { crypto } = team;
const hex = <T extends string>(length = 32) => toHex(crypto.randomBytes(length)) as T;

describe('D9 control deltas', () => {
  it('D9 every kind that is written is attacked here', () => {
    // Two kinds have one form.
    const kinds = Object.keys(controlBody).flatMap((kind) => (kind === 'devices' ? ['removeDevice', 'drop'] : kind));
    assert.deepEqual(Object.keys(CONTROL_BODIES).sort(), kinds.sort());
  });
});

for (const [kind, body] of Object.entries<Value>(CONTROL_BODIES)) {
  attack({
    name: `D9 a control delta: ${kind}`,
    valid: [encode(body)],
    runs: 150,
    read: (bytes) => {
      const decoded = decode(bytes);
      if (!decoded.ok) return undefined;
      const control = readControl(crypto, { ...team.genesis, kind, body: decoded.value });
      if (control) assert.equal(control.kind, kind);
      return control && true;
    },
  });
}

/** Every kind of every tool, about things that are there. */
function writtenBy(
  copy: Copy,
): readonly { readonly tool: ToolId | undefined; readonly kind: string; readonly body: Value }[] {
  const [folder, file, post] = [
    copy.files({ kind: 'folder', parent: undefined, name: 'src' }),
    copy.file('a.ts'),
    copy.post('hi'),
  ];
  const content = contentOf('b');
  const files = (
    [
      { kind: 'file', parent: folder, name: 'b.ts', content },
      { kind: 'folder', parent: folder, name: 'lib' },
      { kind: 'ver', parents: [file], content },
      { kind: 'del', parents: [file] },
      { kind: 'move', item: file, parent: folder, name: 'c.ts' },
    ] as const
  ).map((delta) => ({ tool: FILES, kind: delta.kind, body: filesBody(delta) }));
  const chat = (
    [
      { kind: 'post', text: 'yes' },
      { kind: 'edit', post, text: 'no' },
      { kind: 'unpost', post },
    ] as const
  ).map((delta) => ({ tool: CHAT, kind: delta.kind, body: chatBody(delta) }));
  const control = Object.entries<Value>(CONTROL_BODIES)
    .filter(([kind]) => kind !== 'genesis')
    .map(([kind, body]) => ({ tool: undefined, kind, body }));
  return [...files, ...chat, ...control];
}

describe('D9 a hostile member’s deltas', function () {
  this.timeout(TIMEOUT_MS);

  for (const role of ['manager', 'participant'] as const) {
    it(`D9 whatever a ${role} signs is taken without an exception, and means the same on every copy`, () => {
      const world = new Team(`hostile ${role}`);
      const mallory = world.join('Mallory', world.founder, Role[role]);
      const carol = world.join('Carol');
      const kinds = writtenBy(mallory);
      const credential = mallory.replica.roster.members.get(mallory.person.account)!.credential;
      world.founder.meet(mallory, carol);
      let { seq, id: prev } = mallory.replica.nodeAt(
        `${mallory.person.device}.0` as never,
        mallory.replica.vector().get(`${mallory.person.device}.0` as never)!,
      )!.delta;
      const all: Uint8Array[] = [];
      const bodies = kinds.map(({ body }) => encode(body));
      const drawn = fc
        .tuple(fc.nat({ max: kinds.length - 1 }), fc.boolean())
        .chain(([at, changed]) =>
          (changed ? changedItems([bodies[at]!]) : fc.constant(bodies[at]!)).map((bytes) => ({ at, bytes })),
        );
      const check = fc.property(drawn, ({ at, bytes }) => {
        const body = decode(bytes);
        // What the codec refuses reaches nobody: attacked by itself.
        if (!body.ok) return;
        const delta = world.forge(mallory.person, { ...kinds[at]!, body: body.value, seq: seq + 1, prev, credential });
        // A body as deep as the codec goes is too deep within a delta: nobody takes that one, nor what follows it.
        if (!readDelta(crypto, world.workspace, delta.bytes).ok) return;
        const { faults, added } = bounded(delta.bytes.length + 100_000, () =>
          world.founder.replica.ingest([[delta.bytes]]),
        );
        assert.deepEqual(faults, []);
        assert.equal(added.length, 1);
        ({ seq, id: prev } = delta);
        all.push(delta.bytes);
      });
      fc.assert(check, { ...fixed(31, 250), endOnFailure: true });
      assert.ok(all.length > 100, 'few deltas were made: the check was empty');
      assert.deepEqual(carol.replica.ingest([all]).faults, []);
      assert.deepEqual(stateOf(carol.replica), stateOf(world.founder.replica));
      // L6: what has become rows would be taken as a base's.
      for (const [reducer, tool] of [
        [filesReducer, FILES],
        [chatReducer, CHAT],
      ] as const) {
        const rows = rowsOf(carol.replica, tool);
        assert.ok(rows.length > 0 && rows.every(({ table, key, row }) => reducer.isRow(table, key, row)));
        assert.ok(reducer.hangTogether(rows));
      }
    });
  }

  it('D7 whatever comes as a run is answered, and changes nothing where no member has signed it', () => {
    const world = new Team('garbage');
    const { bytes } = world.founder.replica.nodeAt(`${world.alice.device}.0` as never, 2)!.delta;
    const carol = world.join('Carol');
    const before = stateOf(carol.replica);
    const check = fc.property(
      fc.array(fc.array(changedItems([bytes, world.genesis.bytes]), { maxLength: 3 }), { maxLength: 3 }),
      (runs) => {
        const input = runs.flat().reduce((sum, one) => sum + one.length, 0);
        bounded(input, () => carol.replica.ingest(runs));
        bounded(input, () => carol.replica.missing());
      },
    );
    fc.assert(check, fixed(32));
    assert.deepEqual(stateOf(carol.replica), before);
  });
});

describe('K5 a member who says anything', function () {
  this.timeout(TIMEOUT_MS);

  it('S1 is answered, whatever stands in his messages', () => {
    const world = new Team('talk');
    const mallory = world.join('Mallory');
    const { device } = mallory.person;
    const engine = new Engine({
      crypto: world.crypto,
      workspace: world.workspace,
      reducers: [chatReducer, filesReducer],
      identity: world.alice,
      generation: 0,
      relayable: () => true,
    });
    for (const { delta } of world.founder.replica.nodes()) engine.restore(delta.bytes);
    engine.opened();
    const [feed, own] = [mallory.person.device, world.alice.device].map((one) => feedOf(one, 0)) as [FeedId, FeedId];
    const tip = world.founder.replica.nodeAt(own, 2)!.delta;
    const key = MESSAGES.find(({ kind }) => kind === 'key')!;
    const messages: readonly Message[] = [
      {
        kind: 'have',
        vector: [markOf(own, 2, tip.id), markOf(feed, 9, tip.id)],
        answer: true,
        root: hex(8),
        needsCopy: false,
      },
      { kind: 'got', heads: [{ device: world.alice.device.slice(0, 16), generation: 0, seq: 1 }] },
      { kind: 'deltas', runs: [[tip.bytes]] },
      { kind: 'fetch', ids: [tip.id, hex<DeltaId>()] },
      { kind: 'folded', places: [{ id: tip.id, feed: own, seq: 2 }] },
      { kind: 'needKey', epoch: world.epoch.tag },
      key,
    ];
    const before = stateOf(engine.replica);
    let answers = 0;
    let now = NOW;
    const input = changedItems(messages.map((message) => encodeMessage(device, message)));
    const check = fc.property(input, fc.constantFrom('direct' as const, 'relay' as const), (bytes, path) => {
      const decoded = decodeMessage(bytes);
      if (!decoded.ok) return;
      const { message } = decoded.value;
      now += 1_000;
      // A connection comes and goes, as it does while one talks: what was said before it is worth nothing then.
      bounded(bytes.length + 100_000, () => {
        engine.session.reached(device, now % 3_000 === 0 ? 'none' : 'direct', now);
        if (message.kind === 'key') engine.takeKey(message);
        if (message.kind === 'deltas') engine.stored(engine.ingest(device, path, message.runs, now), now);
        answers += engine.received(device, path, message, world.epoch.tag, now).length + engine.tick(now).length;
        engine.nextWake();
      });
    });
    fc.assert(check, { ...fixed(33, 600), endOnFailure: true });
    assert.ok(answers > 0, 'nothing was answered: the check was empty');
    assert.deepEqual(stateOf(engine.replica), before);
  });
});
