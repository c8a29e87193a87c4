import assert from 'node:assert/strict';
import { fromHex, joinBytes, toHex } from '../../src/base/bytes.ts';

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
});
