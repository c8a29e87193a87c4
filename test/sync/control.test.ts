import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceId, ToolId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { controlBody, headsKept, MAX_CUT_FEEDS, readControl, Role, type Control } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { CONTROL_BODIES, withOtherCounts } from '../fakes/every-kind.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { Team } from './team.ts';

const crypto = nodeCrypto(seededRandom('control'));
const { genesis } = new Team('control');
const read = (kind: string, body: Value): Control | undefined => readControl(crypto, { ...genesis, kind, body });

describe('D4 bodies of control deltas', () => {
  for (const [kind, body] of Object.entries<Value>(CONTROL_BODIES)) {
    it(`D4 ${kind} is read, and refused with one field more or one fewer`, () => {
      assert.equal(read(kind, body)?.kind, kind);
      for (const other of withOtherCounts(body)) assert.equal(read(kind, other), undefined);
    });
  }

  it('D9 a body that is no array is void', () => {
    for (const kind of Object.keys(CONTROL_BODIES)) {
      for (const body of [null, 0, '', true, new Uint8Array(0)]) assert.equal(read(kind, body), undefined, kind);
    }
  });

  it('D10 an unknown kind is not read as one that is known', () => {
    for (const kind of ['', 'Leave', 'constructor', 'devices', 'checkpoints']) assert.equal(read(kind, []), undefined);
  });

  it('A5 a permission is of a word or of one tool, never the one taken for the other', () => {
    const tool = '00112233aabbccdd' as ToolId;
    for (const scope of ['workspace', 'chat', tool as string, { tool }]) {
      for (const allow of [true, false, undefined]) {
        const control = read('setPerm', controlBody.setPerm(scope, 'add', Role.guest, allow));
        assert.deepEqual(control, { kind: 'setPerm', scope, action: 'add', role: Role.guest, allow });
      }
    }
    const bad: readonly Value[] = [
      null,
      7,
      [],
      new Uint8Array(7),
      new Uint8Array(9),
      new Uint8Array(0),
      'x'.repeat(33),
    ];
    for (const scope of bad) assert.equal(read('setPerm', [scope, 'add', Role.guest, true]), undefined);
    for (const allow of [0, 1, '', 'null', [], new Uint8Array(0)])
      assert.equal(read('setPerm', ['chat', 'add', Role.guest, allow]), undefined);
  });

  it('D8 a freeze names as many feeds as it may hold, those in which most was written, and is read', () => {
    const frozen = CONTROL_BODIES.freeze as readonly Value[];
    const [device, other] = ['ab'.repeat(32), 'cd'.repeat(32)] as [DeviceId, DeviceId];
    const many = Array.from({ length: MAX_CUT_FEEDS + 5 }, (_, n) => [feedOf(device, n), n < 5 ? 1 : 2 + n] as const);
    const kept = headsKept(new Map([...many, [feedOf(other, 0), 9]]), device);
    assert.deepEqual(kept, new Map(many.slice(5).toReversed()));
    const [, , epoch] = frozen;
    const control = read('freeze', controlBody.freeze(device, kept, epoch!));
    assert.deepEqual(control?.kind === 'freeze' && control.kept, kept);
    assert.equal(read('freeze', controlBody.freeze(device, new Map(many), epoch!)), undefined);
    assert.deepEqual(headsKept(new Map(many.slice(0, 3)), device), new Map(many.slice(0, 3)));
  });

  it('D9 what may be left out is null or whole, and an id that may be empty has no other length', () => {
    const [admit, remove] = [CONTROL_BODIES.admit, CONTROL_BODIES.remove] as readonly (readonly Value[])[];
    assert.ok(read('admit', admit!.with(6, null)));
    assert.ok(read('remove', remove!.with(1, null)));
    assert.ok(read('admit', admit!.with(4, new Uint8Array(0))));
    const neither: readonly Value[] = [0, false, '', [], [null], new Uint8Array(0)];
    for (const value of neither) assert.equal(read('admit', admit!.with(6, value)), undefined);
    for (const value of neither) assert.equal(read('remove', remove!.with(1, value)), undefined);
    for (const length of [1, 8, 31, 33]) assert.equal(read('admit', admit!.with(4, new Uint8Array(length))), undefined);
  });
});
