import assert from 'node:assert/strict';
import { decodeValue, encodeValue } from '../../src/rpc/frame-values.ts';

describe('values in a frame', () => {
  const frameOf = (value: unknown) => {
    const { head, bytes, length } = encodeValue(value);
    const frame = Buffer.concat([head, ...bytes]);
    assert.equal(frame.length, length);
    return frame;
  };

  it('come out as they went in', () => {
    const values = [
      undefined,
      null,
      { a: undefined, b: [1.5, -1, 'ß', true], c: { d: new Map([['k', new Date(5)]]) } },
      [new Uint8Array(0), new Uint8Array([1, 2, 3]), { deep: new Uint8Array(100_000).fill(7) }],
    ];
    for (const value of values) assert.deepEqual(decodeValue(frameOf(value)), value);
  });

  it('bytes travel beside, uncopied, as plain bytes', () => {
    const large = Buffer.alloc(1_000_000, 3);
    const { head, bytes } = encodeValue({ large });
    assert.ok(head.length < 100);
    assert.equal(bytes[0], large);
    const frame = frameOf({ large });
    const decoded = decodeValue(frame) as { readonly large: Uint8Array };
    assert.equal(decoded.large.constructor, Uint8Array);
    assert.equal(decoded.large.buffer, frame.buffer);
  });

  it('what cannot travel is refused where it is sent', () => {
    for (const value of [() => 1, { deep: Symbol('s') }, new Float64Array(1)]) assert.throws(() => encodeValue(value));
  });

  it('a frame that is cut or flipped anywhere throws, or is another value, and reads nothing beyond itself', () => {
    const frame = frameOf({ type: 'answer', id: 1, value: new Uint8Array([1, 2, 3]) });
    for (let at = 0; at < frame.length; at++) {
      assert.throws(() => decodeValue(frame.subarray(0, at)), `cut at ${at}`);
      for (const bit of [1, 128]) {
        const flipped = new Uint8Array(frame);
        flipped[at]! ^= bit;
        try {
          decodeValue(flipped);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }
    }
  });
});
