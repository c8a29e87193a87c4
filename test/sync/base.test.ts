/** L6: a base is written, read and loaded; whoever begins with it has the same workspace as who has all. */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { MAX_BASE_LANES, MAX_BASE_PAST_NUMBERS } from '../../src/protocol/limits.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { BaseReader, writeBase, type Base, type BaseParts } from '../../src/sync/base.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { Engine } from '../../src/sync/engine.ts';
import { encodeRow } from '../../src/sync/packed-rows.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesBody } from '../../src/tools/files/deltas.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { packed } from './packed.ts';
import { contentOf, Copy, stateOf, Team, type Person } from './team.ts';

function read(team: Team, { root, parts }: BaseParts): Base {
  const reader = new BaseReader(team.crypto, team.workspace);
  for (const [part, bytes] of parts.entries()) {
    const added = reader.add({ root, part, parts: parts.length, bytes });
    assert.ok(added.ok, `part ${part}`);
  }
  const base = reader.read();
  assert.ok(base.ok, base.ok ? '' : base.error.reason);
  return base.value;
}

function replicaOf(team: Team, person: Person): Replica {
  const { crypto, workspace } = team;
  return new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own: feedOf(person.device, 0) });
}

/** Everybody says what he has seen, until there is nothing to say. */
function settle(...copies: readonly Copy[]): void {
  for (let round = 0; round < 3; round++) {
    for (const copy of copies) {
      if (copy.replica.own.isAckDue) copy.control('ack', []);
      for (const other of copies) if (other !== copy) copy.meet(other);
    }
  }
}

function busyTeam(seed: string): { team: Team; alice: Copy; bob: Copy } {
  const team = new Team(seed);
  const alice = team.founder;
  const bob = team.join('Bob');
  for (let i = 0; i < 30; i++) {
    alice.post(`alice ${i}`);
    bob.file(`bob ${i}.txt`);
    if (i % 3 === 0) alice.meet(bob);
  }
  settle(alice, bob);
  return { team, alice, bob };
}

describe('L6 a base', () => {
  it('L6 the same cut is the same base, whoever writes it', () => {
    const { alice, bob } = busyTeam('base 1');
    assert.ok(alice.replica.advance().folded.length > 50);
    assert.ok(bob.replica.advance().folded.length > 50);
    assert.deepEqual(alice.replica.base.present(), bob.replica.base.present());
    assert.deepEqual(alice.replica.base.parts(), bob.replica.base.parts());
  });

  it('L1 L6 of its own that waits comes along beside it what is on the disk, and not what others have sent (world “elm.890”)', () => {
    const { team, alice, bob } = busyTeam('base waits');
    const said = bob.post('which waits for its past');
    const { bytes } = bob.replica.node(said)!.delta;
    const base = read(team, alice.replica.base.parts());
    for (const isKept of [true, false]) {
      const [before, after] = [replicaOf(team, bob.person), replicaOf(team, bob.person)];
      if (isKept) before.restore(bytes);
      else before.ingest([[bytes]]);
      assert.deepEqual(
        before.ownWaiting().map(({ id }) => id),
        isKept ? [said] : [],
      );
      assert.ok(after.load(base, false).ok);
      after.takeOver(before);
      assert.equal(after.ownWaiting().length, isKept ? 1 : 0);
      assert.equal(after.ingest([[bytes]]).missing.length > 0, true);
    }
  });

  it('L6 the same cut is the same base, also where what has no effect comes when what stands behind it is folded', () => {
    const team = new Team('base 8');
    const [alice, bob] = [team.founder, team.join('Bob')];
    const mallory = team.person('Mallory');
    const credential = alice.admit(mallory);
    const word = alice.remove(mallory);
    bob.meet(alice);
    for (let i = 0; i < 3; i++) bob.post(`bob ${i}`);
    settle(alice, bob);
    assert.equal(alice.replica.advance().folded.length, 3);
    // She knows that she is out, and that what she says is void.
    const late = team.forge(mallory, { seq: 1, deps: [word], credential });
    for (const { replica } of [alice, bob]) replica.restore(late.bytes);
    settle(alice, bob);
    assert.deepEqual(
      alice.replica.advance().folded.map(({ verdict }) => verdict),
      ['cutOff'],
    );
    assert.equal(bob.replica.advance().folded.length, 4);
    assert.deepEqual([...alice.replica.feeds.cut()].sort(), [...bob.replica.feeds.cut()].sort());
    assert.deepEqual(alice.replica.base.present(), bob.replica.base.present());
    assert.ok(!alice.replica.isOutOfStep && !bob.replica.isOutOfStep);
  });

  it('L6 who begins with it, and takes what comes after, has the same rows, members and verdicts, and can go on', () => {
    const { team, alice, bob } = busyTeam('base 2');
    const carol = team.person('Carol');
    alice.replica.advance();
    const tail = [alice.post('after the cut'), bob.post('beside it')];
    alice.meet(bob);
    alice.admit(carol);
    const replica = replicaOf(team, carol);
    const loaded = replica.load(read(team, alice.replica.base.parts()), false);
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.reason);
    assert.deepEqual(replica.base.present(), alice.replica.base.present());
    replica.ingest(
      alice.replica.serving.lacking(replica.vector(), 1e9).map((run) => run.map(({ delta }) => delta.bytes)),
    );
    assert.deepEqual(stateOf(replica).rows, stateOf(alice.replica).rows);
    assert.deepEqual(stateOf(replica).roster, stateOf(alice.replica).roster);
    for (const id of tail) assert.equal(replica.verdictOf(id), 'accepted');
    const copy = new Copy(team, carol, replica);
    const hers = copy.post('hello');
    copy.meet(alice);
    assert.equal(alice.verdict(hers), 'accepted');
    settle(alice, copy, bob);
    for (const one of [alice, bob, copy]) assert.ok(one.replica.advance().folded.length > 0);
    assert.deepEqual(copy.replica.base.present(), alice.replica.base.present());
  });

  it('L6 a base of a base: kept, loaded, folded on, and kept again', () => {
    const { team, alice, bob } = busyTeam('base 3');
    let replica = alice.replica;
    for (let round = 0; round < 4; round++) {
      const copy = new Copy(team, team.alice, replica);
      copy.post(`round ${round}`);
      bob.post(`too ${round}`);
      settle(copy, bob);
      replica.advance();
      bob.replica.advance();
      assert.deepEqual(replica.base.present(), bob.replica.base.present(), `round ${round}`);
      const next = replicaOf(team, team.alice);
      const loaded = next.load(read(team, replica.base.parts()), true);
      assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.reason);
      for (const { delta } of replica.nodes()) next.restore(delta.bytes);
      assert.deepEqual(stateOf(next).rows, stateOf(replica).rows);
      assert.deepEqual(next.vector(), replica.vector());
      replica = next;
    }
  });

  it('L6 whatever is changed in it, it is not taken: no bit, no part, no root of another', () => {
    const { team, alice, bob } = busyTeam('base 4');
    alice.replica.advance();
    const whole = alice.replica.base.parts();
    let refused = 0;
    for (let at = 0; at < whole.parts[0]!.length; at += 97) {
      const bytes = whole.parts[0]!.slice();
      bytes[at]! ^= 1;
      const reader = new BaseReader(team.crypto, team.workspace);
      for (const [part, own] of whole.parts.entries())
        reader.add({ root: whole.root, part, parts: whole.parts.length, bytes: part === 0 ? bytes : own });
      const base = reader.read();
      if (!base.ok || !replicaOf(team, bob.person).load(base.value, false).ok) refused++;
      else assert.fail(`byte ${at} is not in the root`);
    }
    assert.ok(refused > 20);
    const other = new BaseReader(team.crypto, '00'.repeat(32) as WorkspaceId);
    for (const [part, bytes] of whole.parts.entries())
      other.add({ root: whole.root, part, parts: whole.parts.length, bytes });
    const foreign = other.read();
    assert.ok(!foreign.ok && foreign.error.reason === 'foreign');
  });

  it('L1 L6 one with more feeds than another may give is read by whoever has kept it: it would be all that he has', () => {
    const { team, alice } = busyTeam('base 10');
    alice.replica.advance();
    const { root, ...base } = read(team, alice.replica.base.parts());
    const device = 'ff'.repeat(32) as DeviceId;
    const begun = Array.from({ length: MAX_BASE_LANES }, (_, generation) => {
      const end = { id: generation.toString(16).padStart(64, '0') as DeltaId, height: 2, past: [] };
      const place = { feed: feedOf(device, generation), device, generation, parent: undefined };
      return { ...place, first: 1, firstId: undefined, cut: 1, closed: undefined, end };
    });
    const { parts } = writeBase(team.workspace, root, { ...base, lanes: [...base.lanes, ...begun] }, []);
    const kept = parts.map((bytes, part) => ({ root, part, parts: parts.length, bytes }));
    const reader = new BaseReader(team.crypto, team.workspace);
    for (const part of kept) assert.ok(reader.add(part).ok);
    assert.equal(reader.read().ok, false);
    const { crypto, workspace, alice: person } = team;
    const identity = { ...person, account: person.account, device: person.device };
    const options = { crypto, workspace, reducers: [chatReducer, filesReducer], identity, generation: 0 };
    const engine = new Engine({ ...options, relayable: () => true });
    assert.ok(engine.restoreBase(kept, undefined));
    assert.equal(engine.replica.feeds.cut().size, base.lanes.length + MAX_BASE_LANES);
  });

  it('L6 one whose pasts promise more than there is room for is not read, however short it is', () => {
    const { team, alice } = busyTeam('base 11');
    alice.replica.advance();
    const { root, ...base } = read(team, alice.replica.base.parts());
    const device = 'ff'.repeat(32) as DeviceId;
    const idOf = (n: number) => n.toString(16).padStart(64, '0') as DeltaId;
    const past = Array.from({ length: MAX_BASE_LANES }, (_, lane) => (lane === MAX_BASE_LANES - 1 ? 1 : 0));
    const places = MAX_BASE_PAST_NUMBERS / MAX_BASE_LANES;
    const lanes = Array.from({ length: MAX_BASE_LANES - base.lanes.length }, (_, generation) => {
      const end = { id: idOf(generation), height: 2, past: [] };
      const place = { feed: feedOf(device, generation), device, generation, parent: undefined };
      return { ...place, first: 1, firstId: undefined, cut: places + 1, closed: undefined, end };
    });
    const isRead = (count: number) => {
      const more = Array.from({ length: count }, (_, i) => {
        const [lane, seq] = [MAX_BASE_LANES - 1, i + 1];
        return { lane, seq, id: idOf(MAX_BASE_LANES + i), height: 2, past };
      });
      const frame = { ...base, lanes: [...base.lanes, ...lanes], places: [...base.places, ...more] };
      const { parts } = writeBase(team.workspace, root, frame, []);
      const reader = new BaseReader(team.crypto, team.workspace);
      for (const [part, bytes] of parts.entries()) assert.ok(reader.add({ root, part, parts: parts.length, bytes }).ok);
      return reader.read().ok;
    };
    assert.equal(isRead(100), true);
    assert.equal(isRead(places), false);
  });

  it('L6 rows of a tool that was added twice, as one kind and as another, are taken (world “gum.2928”)', () => {
    const team = new Team('base 9');
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    const twice = '00000000000000d2' as ToolId;
    alice.control('addTool', controlBody.addTool(twice, 'chat', 'Talk'));
    bob.control('addTool', controlBody.addTool(twice, 'files', 'Papers'));
    alice.post('of the one kind', twice);
    const file = { kind: 'file', parent: undefined, name: 'of the other', content: contentOf('text') } as const;
    bob.one({ tool: twice, kind: 'file', body: filesBody(file) });
    settle(alice, bob);
    assert.equal(alice.replica.advance().folded.length, 2);
    const base = read(team, alice.replica.base.parts());
    assert.equal(new Set(Array.from({ length: base.rows.size }, (_, n) => base.rows.at(n)!.tool)).size, 1);
    assert.ok(replicaOf(team, team.person('Carol')).load(base, false).ok);
  });

  it('L6 rows that no tool could have put are not taken, even where they add up', () => {
    const { team, alice, bob } = busyTeam('base 6');
    alice.replica.advance();
    const base = read(team, alice.replica.base.parts());
    const [row, ...others] = Array.from({ length: base.rows.size }, (_, n) => base.rows.at(n)!);
    assert.ok(row);
    for (const lie of [
      { ...row, row: ['nonsense'] },
      { ...row, table: 'elsewhere' },
      { ...row, key: 'no id' },
      { ...row, tool: '00000000000000ff' as ToolId },
    ]) {
      const loaded = replicaOf(team, bob.person).load({ ...base, rows: packed([lie, ...others]) }, false);
      assert.ok(!loaded.ok && loaded.error.reason === 'badRow');
    }
    assert.ok(replicaOf(team, bob.person).load(base, false).ok);
  });

  it('L6 D5 what comes after it may name what is folded: who begins with it takes that, too', () => {
    const team = new Team('base 7');
    const alice = team.founder;
    const bob = team.join('Bob');
    bob.post('before');
    alice.meet(bob);
    const named = bob.replica.vector().get(feedOf(bob.person.device, 0))!;
    alice.post('names the end of Bob’s feed as it was');
    // He has not seen it when he lets somebody in who then writes nothing: it is stable for nobody, what he has written is.
    for (let i = 0; i < 3; i++) bob.control('ack', []);
    bob.admit(team.person('Carol'));
    settle(alice, bob);
    alice.replica.advance();
    assert.ok(alice.replica.feeds.cut().get(feedOf(bob.person.device, 0))! > named, 'it is before the cut');
    const base = read(team, alice.replica.base.parts());
    assert.deepEqual(
      base.places.map(({ seq }) => seq),
      [named],
    );
    const next = replicaOf(team, bob.person);
    assert.ok(next.load(base, true).ok);
    for (const { delta } of alice.replica.tail()) next.restore(delta.bytes);
    assert.deepEqual(next.missing(), []);
    assert.deepEqual(next.vector(), alice.replica.vector());
    assert.deepEqual(stateOf(next), stateOf(alice.replica));
    next.advance();
    assert.deepEqual(next.base.parts(), alice.replica.base.parts(), 'and it is the same base again');
  });

  it('L6 parts out of turn, of another base, too many or too long', () => {
    const { team, alice, bob } = busyTeam('base 5');
    for (let i = 0; i < 60; i++) alice.post(`${i} `.repeat(1_000));
    settle(alice, bob);
    alice.replica.advance();
    const { root, parts } = alice.replica.base.parts();
    const reader = new BaseReader(team.crypto, team.workspace);
    const reason = (one: ReturnType<BaseReader['add']>) => (one.ok ? 'ok' : one.error.reason);
    const total = parts.length;
    assert.ok(total > 1);
    const [bytes, second] = parts as [Uint8Array, Uint8Array];
    assert.equal(reason(reader.add({ root, part: 1, parts: total, bytes: second })), 'outOfTurn');
    assert.equal(reason(reader.add({ root, part: 0, parts: 1e6, bytes })), 'malformed');
    assert.equal(reason(reader.add({ root, part: 0, parts: total, bytes: new Uint8Array(0) })), 'malformed');
    assert.equal(reason(reader.add({ root, part: 0, parts: total, bytes: new Uint8Array(70_000) })), 'malformed');
    assert.equal(reason(reader.add({ root, part: 0, parts: total, bytes })), 'ok');
    const another = root.map((byte) => byte ^ 1);
    assert.equal(reason(reader.add({ root: another, part: 1, parts: total, bytes: second })), 'changed');
    assert.equal(reason(reader.add({ root, part: 0, parts: total, bytes })), 'outOfTurn');
    assert.equal(reader.next, 1);
  });

  it('L6 has as many rows as a workspace has items: more than a call takes arguments', () => {
    const rows = Array.from({ length: 150_000 }, (_, n) =>
      encodeRow({ tool: '00000000000000c1' as ToolId, table: 'posts', key: String(n).padStart(6, '0') }, []),
    );
    const frame = { end: undefined, lanes: [], places: [], controls: [] };
    const { parts } = writeBase('00'.repeat(32) as WorkspaceId, new Uint8Array(32), frame, rows);
    assert.equal(
      parts.reduce((sum, part) => sum + part.length, 0),
      rows.reduce((sum, row) => sum + 4 + row.length, 4 + 46),
    );
  });
});
