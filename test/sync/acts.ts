/** What a member may try, rightly or not: one act drawn from a seed. */
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { CHAT, contentOf, FILES, type Copy, type Person } from './team.ts';

export const ROLES = [Role.manager, Role.participant, Role.participant, Role.guest] as const;
/** Of the numbers below this one each is an act of its own. */
export const ACTS = 22;

/** Of deltas that are here and of rows whose deltas are not any more. */
function idsOf(copy: Copy, kinds: readonly string[], table?: string): readonly DeltaId[] {
  const ids = [...copy.replica.nodes()].filter(({ delta }) => kinds.includes(delta.kind)).map(({ delta }) => delta.id);
  const keys = table === undefined ? [] : [...copy.replica.fold.rows()].filter((row) => row.table === table);
  return [...new Set([...ids, ...keys.map(({ key }) => key as DeltaId)])];
}

/** `act` numbers the acts of a history; `below` draws. */
export function tryAct(
  kind: number,
  act: number,
  copy: Copy,
  people: readonly Person[],
  below: (bound: number) => number,
): void {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const roles = ROLES;
  const someone = pick(people);
  const posts = idsOf(copy, ['post'], 'posts');
  const items = idsOf(copy, ['file', 'folder'], 'items');
  const folders = idsOf(copy, ['folder']);
  const versions = idsOf(copy, ['file', 'folder', 'ver', 'del'], 'versions');
  const invites = idsOf(copy, ['invite']);
  const parent = below(2) === 0 ? undefined : folders.length > 0 ? pick(folders) : undefined;
  switch (kind) {
    case 0:
    case 1:
      copy.post(`post ${act}`);
      break;
    case 2:
      if (posts.length > 0) copy.chat({ kind: 'edit', post: pick(posts), text: `edit ${act}` });
      break;
    case 3:
      if (posts.length > 0) copy.chat({ kind: 'unpost', post: pick(posts) });
      break;
    case 4:
    case 5:
      copy.file(`file ${act}`, parent);
      break;
    case 6:
      copy.files({ kind: 'folder', parent, name: `folder ${act}` });
      break;
    case 7:
    case 8:
      if (versions.length > 0) {
        const parents = [...new Set([pick(versions), ...(below(3) === 0 ? [pick(versions)] : [])])];
        copy.files({ kind: 'ver', parents, content: contentOf(`v${act}`) });
      }
      break;
    case 9:
      if (versions.length > 0) copy.files({ kind: 'del', parents: [pick(versions)] });
      break;
    case 10:
    case 11:
      if (items.length > 0) copy.files({ kind: 'move', item: pick(items), parent, name: `moved ${act}` });
      break;
    case 12:
      copy.admit(someone, pick(roles), invites.length > 0 && below(2) === 0 ? pick(invites) : undefined);
      break;
    case 13:
      copy.remove(someone);
      break;
    case 14:
      copy.setRole(someone, pick(roles));
      break;
    case 15:
      copy.setPerm(
        pick(['chat', 'files', 'workspace']),
        pick(['add', 'edit', 'editOwn', 'delete', 'invite', 'uninvite']),
        pick([Role.participant, Role.guest]),
        below(2) === 0,
      );
      break;
    case 16:
      copy.invite(pick(roles), 1 + below(2));
      break;
    case 17:
      if (invites.length > 0) copy.control('revoke', controlBody.revoke(pick(invites)));
      break;
    case 18:
      if (below(4) === 0) copy.control('leave', controlBody.leave());
      break;
    case 19:
      copy.control('profile', controlBody.profile(`${copy.person.name} ${act}`, ''));
      break;
    case 20:
      if (below(6) === 0) copy.control('deleteTool', controlBody.deleteTool(pick([CHAT, FILES])));
      else copy.control('addTool', controlBody.addTool(pick([CHAT, FILES]), 'chat', `tool ${act}`));
      break;
    case 21:
      copy.control('rename', controlBody.rename(`name ${act}`));
      break;
  }
}
