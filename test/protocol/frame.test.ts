import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { PacketAssembler, PacketQueue, type Packet } from '../../src/protocol/frame.ts';
import { MAX_FRAME_PAYLOAD_BYTES, MAX_MESSAGE_BYTES } from '../../src/protocol/limits.ts';

const LAST = 0x80;

function frame(header: number, payload = 0): Uint8Array {
  const bytes = new Uint8Array(1 + payload);
  bytes[0] = header;
  return bytes;
}

function fault(...frames: readonly Uint8Array[]): string | undefined {
  const assembler = new PacketAssembler();
  for (const one of frames) {
    const taken = assembler.take(one);
    if (!taken.ok) return taken.error.tag;
  }
  return undefined;
}

describe('frames', () => {
  it('S1 have the documented bytes', () => {
    const queue = new PacketQueue();
    queue.push(3, Uint8Array.of(7, 8));
    queue.push(0, new Uint8Array(0));
    assert.deepEqual(queue.pull(), Uint8Array.of(LAST));
    assert.deepEqual(queue.pull(), Uint8Array.of(LAST | 3, 7, 8));
    queue.push(1, new Uint8Array(MAX_FRAME_PAYLOAD_BYTES + 1).fill(5));
    const first = queue.pull()!;
    assert.equal(first[0], 1);
    assert.equal(first.length, 1 + MAX_FRAME_PAYLOAD_BYTES);
    assert.deepEqual(queue.pull(), Uint8Array.of(LAST | 1, 5));
    assert.equal(queue.pull(), undefined);
  });

  it('D4 refuse an empty frame and every header bit without a meaning', () => {
    assert.equal(fault(new Uint8Array(0)), 'badFrame');
    for (const bit of [0x04, 0x08, 0x10, 0x20, 0x40]) assert.equal(fault(frame(LAST | bit, 1)), 'badFrame');
  });

  it('D4 refuse crumbs: a frame that is not the last is full', () => {
    assert.equal(fault(frame(0, 0)), 'badFrame');
    assert.equal(fault(frame(0, MAX_FRAME_PAYLOAD_BYTES - 1)), 'badFrame');
    assert.equal(fault(frame(0, MAX_FRAME_PAYLOAD_BYTES + 1)), 'badFrame');
    assert.equal(fault(frame(LAST, MAX_FRAME_PAYLOAD_BYTES + 1)), 'badFrame');
    assert.equal(fault(frame(0, MAX_FRAME_PAYLOAD_BYTES)), undefined);
  });

  it('D4 refuse a packet longer than a message, on each lane by itself', () => {
    const whole = Math.floor(MAX_MESSAGE_BYTES / MAX_FRAME_PAYLOAD_BYTES);
    const rest = MAX_MESSAGE_BYTES - whole * MAX_FRAME_PAYLOAD_BYTES;
    const full = (lane: number) => Array.from({ length: whole }, () => frame(lane, MAX_FRAME_PAYLOAD_BYTES));
    assert.equal(fault(...full(2), frame(LAST | 2, rest)), undefined);
    assert.equal(fault(...full(2), frame(LAST | 2, rest + 1)), 'tooLarge');
    assert.equal(fault(...full(2), frame(2, MAX_FRAME_PAYLOAD_BYTES)), 'tooLarge');
    assert.equal(fault(...full(1), ...full(2), frame(LAST | 1, rest), frame(LAST | 2, rest)), undefined);
  });

  it('S1 give back any packets, of any lanes, pulled at any time', () => {
    const packet = fc.record({
      lane: fc.nat(3),
      length: fc.oneof(fc.nat(50), fc.integer({ min: 64_990, max: 65_010 }), fc.nat(200_000)),
      fill: fc.nat(255),
      pulls: fc.nat(4),
    });
    const check = fc.property(fc.array(packet, { maxLength: 12 }), (plan) => {
      const queue = new PacketQueue();
      const assembler = new PacketAssembler();
      const sent: Packet[] = [];
      const got: Packet[] = [];
      const pull = () => {
        const next = queue.pull();
        const taken = next && assembler.take(next);
        if (taken) assert.ok(taken.ok);
        if (taken?.value) got.push(taken.value);
        return next !== undefined;
      };
      for (const { lane, length, fill, pulls } of plan) {
        const bytes = new Uint8Array(length).fill(fill);
        sent.push({ lane, bytes });
        queue.push(lane, bytes);
        for (let i = 0; i < pulls; i++) pull();
      }
      while (pull());
      assert.equal(queue.bytes, 0);
      for (const lane of [0, 1, 2, 3]) {
        assert.deepEqual(
          got.filter((one) => one.lane === lane),
          sent.filter((one) => one.lane === lane),
        );
      }
    });
    fc.assert(check, { seed: 20_250_101, numRuns: 60 });
  });

  it('D4 never throw at any bytes', () => {
    const assembler = new PacketAssembler();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assembler.take(bytes);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
