import assert from 'node:assert/strict';
import { Role } from '../../src/sync/control.ts';
import { allowedByDefault, type Action } from '../../src/sync/permissions.ts';

/** As the product is described, word for word. */
const TABLE = `
| Workspace | invite, uninvite, add tools, delete tools, delete workspace | invite, add tools | – |
| Calendar | view, add, edit, delete all entries | view all; add, edit, delete own | view |
| Discussion | view, create, edit, delete all | view all; create, edit, delete own | view |
| Files | view, add, modify, delete files and folders; change permissions and download settings | view, add, modify; delete own files | view |
| Pictures | view, add, rename, delete | view, add, rename | view |
| Notepad | view, create, edit, delete | view, create, edit, delete | view |
| Sketchpad | view, create, edit, delete | view, create, edit, delete | view |
| Chat, Forms, Tasks, Meetings (ours) | all | view all; add; edit and delete own | view |
`;

const ACTIONS: readonly Action[] = [
  ...(['add', 'edit', 'editOwn', 'delete', 'deleteOwn', 'rename', 'configure'] as const),
  ...(['invite', 'uninvite', 'addTools', 'deleteTools', 'deleteWorkspace'] as const),
];

/** What the words of a cell allow. "Own" is said of the verbs before it, up to the last semicolon, but never of adding. */
function read(cell: string): ReadonlySet<Action> {
  const allowed = new Set<Action>();
  if (cell === 'all') return new Set(ACTIONS);
  for (const part of cell.split(';')) {
    const own = part.includes('own ') || part.trim().endsWith('own');
    const has = (word: string) => part.includes(word);
    const allow = (...actions: readonly Action[]) => actions.forEach((action) => allowed.add(action));
    if (has('invite')) allow('invite');
    if (has('uninvite')) allow('uninvite');
    if (has('add tools')) allow('addTools');
    if (has('delete tools')) allow('deleteTools');
    if (has('delete workspace')) allow('deleteWorkspace');
    if (has('change permissions')) allow('configure');
    if (has('rename')) allow('rename');
    if (has('tools') || has('permissions')) continue;
    if (has('add') || has('create')) allow('add');
    if (has('edit') || has('modify')) allow('editOwn', ...(own ? [] : (['edit'] as const)));
    if (has('delete')) allow('deleteOwn', ...(own ? [] : (['delete'] as const)));
  }
  return allowed;
}

describe('A5 A9 the default permissions', () => {
  const rows = TABLE.trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

  for (const [, features = '', manager = '', participant = '', guest = ''] of rows) {
    for (const feature of features.replace(' (ours)', '').split(', ')) {
      const scope = feature.toLowerCase();
      it(`A5 ${feature}, cell by cell`, () => {
        for (const action of ACTIONS) {
          const may = (role: Role) => allowedByDefault(scope, action, role);
          assert.equal(may(Role.participant), read(participant).has(action), `a participant: ${action}`);
          assert.equal(may(Role.guest), read(guest).has(action), `a guest: ${action}`);
          if (read(manager).has(action)) assert.ok(may(Role.manager), `a manager: ${action}`);
        }
      });
    }
  }

  it('A5 a manager may what a newer tool asks for, and nobody else', () => {
    for (const scope of ['newer', 'constructor', '__proto__', '']) {
      for (const action of ACTIONS) {
        const allowed = [Role.manager, Role.participant, Role.guest].map((role) =>
          allowedByDefault(scope, action, role),
        );
        assert.deepEqual(allowed, [true, false, false], `${scope} ${action}`);
      }
    }
  });
});
