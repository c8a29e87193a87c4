/** What becomes of a person's own where it cannot stand in the workspace, or not on the disk. */
import type { Mutant } from './mutant.ts';

const tests = ['test/service/left-behind.test.ts'];
const puttingBack = ['test/service/putting-back.test.ts'];
const file = 'src/service/left-behind.ts';

export const ownWork: readonly Mutant[] = [
  {
    name: 'what cannot come along into a fresh copy is gone',
    rule: 'D9',
    file: 'src/service/shared-workspace.ts',
    search: 'this.leftBehind.begun(before, this.replica, this.#hub.identity);',
    replace: '',
    tests,
  },
  {
    name: 'who is let in is told of it before that is on the disk',
    rule: 'D1',
    file: 'src/service/inviting.ts',
    search: '|| !this.#workspace.replica.isDurable(admit)',
    replace: '',
    tests: ['test/service/disk-trouble.test.ts'],
  },
  {
    name: 'a fresh copy is on the disk before what it lacks',
    rule: 'D9',
    file: 'src/service/shared-workspace.ts',
    search: 'void this.#hub.commit([]).catch(() => undefined); // told by the queue const { unconfirmed }',
    replace: 'const { unconfirmed }',
    tests,
  },
  {
    name: 'what has come along into a fresh copy is listed as lost',
    rule: 'D9',
    file,
    search: 'if (!isHere(piece, copy)) continue;',
    replace: 'continue;',
    tests,
  },
  {
    name: 'what a copy alone has folded is gone with it',
    rule: 'D9',
    file,
    search: 'if (isShort(before, copy, whose)) yield* folded(before, copy, whose);',
    replace: '',
    tests,
  },
  {
    name: 'what somebody has taken away is listed as lost',
    rule: 'D9',
    file,
    search: 'if (isShort(before, copy, whose)) yield*',
    replace: 'yield*',
    tests,
  },
  {
    name: 'what is left behind is kept without what it is made upon',
    rule: 'D9',
    file,
    search: 'for (const piece of [...this.#pieces.values()]) this.#keepWhatIsUnder(piece, before, copy);',
    replace: '',
    tests,
  },
  {
    name: 'what was put back before a crash is put back again',
    rule: 'L7',
    file: 'src/service/put-anew.ts',
    search: "this.#local.put(this.#prefix + piece, [was, id ?? '', spot]);",
    replace: '',
    tests: puttingBack,
  },
  {
    name: 'a crash ends putting back',
    rule: 'L7',
    file: 'src/service/service.ts',
    search: 'this.#closed.start();',
    replace: '',
    tests: puttingBack,
  },
  {
    name: 'what is put back is so twice where it is asked for twice',
    rule: 'L7',
    file: 'src/service/closed-workspaces.ts',
    search: 'if (under) return under;',
    replace: '',
    tests: puttingBack,
  },
  {
    name: 'who is dropped again loses what was kept before',
    rule: 'L7',
    file: 'src/service/closed-workspace.ts',
    search: 'before ? [...before.#pieces] : []',
    replace: '[]',
    tests: puttingBack,
  },
];
