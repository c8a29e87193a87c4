/** Who is told what, and when. */
import type { Mutant } from './mutant.ts';

const SESSION = 'src/sync/session.ts';
const tests = ['test/sync/session.test.ts'];

export const session: readonly Mutant[] = [
  {
    name: 'what a peer once had it has for ever',
    rule: 'D2',
    file: SESSION,
    search: 'peer.known = new Map(message.vector.map(({ feed, seq }) => [feed, seq]));',
    replace: 'for (const { feed, seq } of message.vector) raise(peer.known, feed, seq);',
    tests,
  },
  {
    name: 'credit without end',
    rule: 'S1',
    file: SESSION,
    search: 'while (peer.unackedBytes < MAX_MESSAGE_BYTES) {',
    replace: 'for (;;) {',
    tests,
  },
  {
    name: 'others’ deltas are not passed on',
    rule: 'S1',
    file: SESSION,
    search: 'return nodes.length === 0 || this.#canWait(nodes, now) ? out : [...out, ...this.#pumpAll(now)];',
    replace: 'return out;',
    tests: ['test/sync/session.test.ts'],
  },
  {
    name: 'acks that wait hold back what is beyond the credit',
    rule: 'L4',
    file: SESSION,
    search: 'return this.#isSpreading(now) && !isFull ? [] :',
    replace: 'return this.#isSpreading(now) ? [] :',
    tests: ['test/sync/engine.test.ts'],
  },
  {
    name: 'nobody asks for what is missing',
    rule: 'D5',
    file: SESSION,
    search: 'if (gap) out.push(...this.askAgain(from, path, now));',
    replace: '',
    tests,
  },
  {
    name: 'a copy is not acknowledged',
    rule: 'S3',
    file: SESSION,
    search: 'heard.length > 0 ? new Set(heard.map(({ feed }) => feed)) : vector.keys()',
    replace: 'new Set(nodes.map(({ delta }) => delta.feed))',
    tests,
  },
  {
    name: 'no patience with a silent path',
    rule: 'S4',
    file: SESSION,
    search: 'now - peer.unackedSince < ACK_PATIENCE_MS',
    replace: 'false',
    tests,
  },
  {
    name: 'a silent path is never given up',
    rule: 'S4',
    file: SESSION,
    search: 'if (direct && now >= peer.restartAt) out.push(...this.#restart(device, peer, now));',
    replace: '',
    tests,
  },
  {
    name: 'one relayed message for each recipient',
    rule: 'R2',
    file: SESSION,
    search: 'before ? { ...before, to: [...before.to, ...one.to] } : one',
    replace: 'one',
    tests,
  },
  {
    name: 'who was let in by somebody that nobody hears of any more is a stranger',
    rule: 'I4',
    file: 'src/sync/engine.ts',
    search: 'return this.keys.isClean && under === this.keys.inUse;',
    replace: 'return false;',
    tests: ['test/sync/unheard.test.ts'],
  },
  {
    name: 'strangers are listened to under any key',
    rule: 'K2',
    file: 'src/sync/engine.ts',
    search: 'return this.keys.isClean && under === this.keys.inUse;',
    replace: 'return true;',
    tests: ['test/sync/unheard.test.ts'],
  },
  {
    name: 'a stranger is told what is here though he has nothing new',
    rule: 'I4',
    file: SESSION,
    search: "if (message.kind !== 'have' || !this.#lacks(message.vector)) return [];",
    replace: "if (message.kind !== 'have') return [];",
    tests: ['test/sync/unheard.test.ts'],
  },
];
