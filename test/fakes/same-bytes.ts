import assert from 'node:assert/strict';
import { equalBytes } from '../../src/base/bytes.ts';

/** Like deepEqual, but a failure names the first difference at once rather than laying out megabytes. */
export function assertSameBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(actual, 'no bytes');
  if (equalBytes(actual, expected)) return;
  const at = expected.findIndex((byte, i) => actual[i] !== byte);
  assert.fail(`${actual.length} bytes for ${expected.length}, different from ${at < 0 ? expected.length : at} on`);
}
