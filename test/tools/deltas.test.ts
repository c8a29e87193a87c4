import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Value } from '../../src/protocol/codec.ts';
import { chatBody, readChatDelta } from '../../src/tools/chat/deltas.ts';
import { filesBody, readFilesDelta } from '../../src/tools/files/deltas.ts';
import { CHAT_DELTAS, FILES_DELTAS, withOtherCounts } from '../fakes/every-kind.ts';

interface Example {
  readonly tool: string;
  readonly kind: string;
  readonly body: Value;
  readonly delta: unknown;
  readonly read: (kind: string, body: Value) => unknown;
}

const EXAMPLES: readonly Example[] = [
  ...FILES_DELTAS.map((delta) => ({
    tool: 'files',
    kind: delta.kind,
    body: filesBody(delta),
    delta,
    read: readFilesDelta,
  })),
  ...CHAT_DELTAS.map((delta) => ({
    tool: 'chat',
    kind: delta.kind,
    body: chatBody(delta),
    delta,
    read: readChatDelta,
  })),
];

describe('D4 bodies of the tools’ deltas', () => {
  for (const { tool, kind, body, delta, read } of EXAMPLES) {
    it(`D4 ${kind} of ${tool} is read, and refused with one field more or one fewer`, () => {
      assert.deepEqual(read(kind, body), delta);
      for (const other of withOtherCounts(body)) assert.equal(read(kind, other), undefined);
    });
  }

  it('D10 an unknown kind is not read as one that is known', () => {
    for (const { body, read } of EXAMPLES) {
      for (const kind of ['', 'constructor', 'File', 'posts']) assert.equal(read(kind, body), undefined);
    }
  });
});
