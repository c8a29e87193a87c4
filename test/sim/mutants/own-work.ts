/** What becomes of a person's own where it cannot stand in the workspace. */
import type { Mutant } from './mutant.ts';

export const ownWork: readonly Mutant[] = [
  {
    name: 'what cannot come along into a fresh copy is gone',
    rule: 'D9',
    file: 'src/service/shared-workspace.ts',
    search: 'this.#keepBeside(before);',
    replace: '',
    tests: ['test/service/left-behind.test.ts'],
  },
  {
    name: 'what has come along into a fresh copy is listed as lost',
    rule: 'D9',
    file: 'src/service/shared-workspace.ts',
    search: ' || (reason === APART && this.#isHere(delta.value))',
    replace: '',
    tests: ['test/service/left-behind.test.ts'],
  },
];
