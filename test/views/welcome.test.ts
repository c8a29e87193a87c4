import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { SessionState } from '../../src/views/session.ts';
import type { Lists } from '../../src/views/workspace-list.ts';

interface Welcome {
  readonly view: string;
  readonly contents: string;
  readonly when: string;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly contributes: { readonly viewsWelcome: readonly Welcome[] };
};
const texts = JSON.parse(readFileSync('package.nls.json', 'utf8')) as Readonly<Record<string, string>>;

/** What a view without rows says. */
function shown(context: Readonly<Record<string, string | undefined>>): readonly string[] {
  const welcomes = manifest.contributes.viewsWelcome.filter(({ when }) =>
    when.split(' && ').every((clause) => holds(clause, context)),
  );
  return welcomes.map(({ contents }) => contents.replaceAll('%', ''));
}

/** The clauses that the manifest uses: `!key`, `key == value`, `key != value`. */
function holds(clause: string, context: Readonly<Record<string, string | undefined>>): boolean {
  const negated = /^!coterie\.(\w+)$/.exec(clause);
  if (negated) return context[negated[1]!] === undefined;
  const [, key, operator, value] = /^coterie\.(\w+) (==|!=) (\w+)$/.exec(clause) ?? assert.fail(clause);
  return (context[key!] === value) === (operator === '==');
}

describe('the view while it has no rows', () => {
  const states: readonly SessionState['kind'][] = ['empty', 'connecting', 'open', 'locked', 'inUse', 'failed'];

  it('says one thing in each state', () => {
    for (const state of states) {
      const said = shown({ state });
      assert.equal(said.length, 1, state);
      assert.ok(texts[said[0]!], said[0]);
    }
    assert.deepEqual(shown({}), ['welcome.first'], 'before anything was started');
  });

  it('I2 offers nothing to begin with while the machine is being linked, and says so', () => {
    const linked = (linking: Lists['linking']) => shown({ state: 'open', linking });
    assert.deepEqual(linked(undefined), ['welcome.first']);
    assert.deepEqual(linked('underWay'), ['welcome.linking']);
    assert.deepEqual(linked('done'), ['welcome.linked']);
    assert.doesNotMatch(texts['welcome.linking']!, /command:/);
    for (const text of ['welcome.first', 'welcome.linked'])
      assert.match(texts[text]!, /command:coterie\.createWorkspace/);
  });
});
