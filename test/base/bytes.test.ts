import assert from 'node:assert/strict';
import { fromHex, joinBytes, joinInPlace, releaseBytes, toHex } from '../../src/base/bytes.ts';

describe('bytes in hexadecimal', () => {
  it('every byte comes back, in either case', () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    assert.deepEqual(fromHex(toHex(all)), all);
    assert.deepEqual(fromHex(toHex(all).toUpperCase()), all);
    assert.deepEqual(fromHex(''), new Uint8Array(0));
  });

  it('what is no hexadecimal is none, wherever the fault is', () => {
    for (const text of [
      '0',
      'abc',
      '0g',
      'g0',
      ' 0',
      '0 ',
      '0x',
      '\u0660\u0661',
      '\u{1f600}',
      '-1',
      '+1',
      '1.',
      'zz',
    ]) {
      assert.equal(fromHex(text), undefined, text);
      assert.equal(fromHex(`00${text}`), undefined, text);
    }
  });
});

describe('bytes put together', () => {
  it('are as many as a list has: more than a call takes arguments', () => {
    const parts = Array.from({ length: 300_000 }, (_, n) => Uint8Array.of(n & 255));
    const joined = joinBytes(parts);
    assert.equal(joined.length, 300_000);
    assert.deepEqual(joined.subarray(254, 258), Uint8Array.of(254, 255, 0, 1));
  });

  it('are no copy where they lie one behind the other, in their order and without a gap', () => {
    const all = Uint8Array.from({ length: 20 }, (_, n) => n);
    const part = (from: number, to: number) => all.subarray(from, to);
    const joined = joinInPlace([part(3, 7), part(7, 8), part(8, 15)]);
    assert.deepEqual(joined, part(3, 15));
    assert.equal(joined.buffer, all.buffer);
    for (const parts of [
      [part(3, 7), part(8, 9)],
      [part(7, 9), part(3, 7)],
      [part(3, 7), part(7, 9).slice()],
    ]) {
      assert.deepEqual(joinInPlace(parts), joinBytes(parts));
      assert.notEqual(joinInPlace(parts).buffer, all.buffer);
    }
    assert.deepEqual(joinInPlace([]), new Uint8Array(0));
  });

  it('give back what is theirs alone', () => {
    const [own, shared] = [new Uint8Array(100), new Uint8Array(100)];
    releaseBytes(own);
    releaseBytes(shared.subarray(1));
    assert.deepEqual([own.length, shared.length], [0, 100]);
  });
});
