/**
 * Chat: posts are added; their authors, and managers, edit and delete them (PRODUCT, default permissions). A post that was carried over
 * (A7) is its carrier's word of what another wrote: who may not edit others' posts may not say it, and nobody edits it.
 */
import type { Node } from '../../sync/graph.ts';
import type { Context, ContentVoid, Reducer, Transaction } from '../../sync/reducer.ts';
import { readChatDelta } from './deltas.ts';
import { isPostRow, POSTS, postFromRow, postToRow } from './rows.ts';

export const chatReducer: Reducer = {
  kind: 'chat',
  kinds: ['post', 'edit', 'unpost', 'carry'],
  apply(transaction: Transaction, node: Node, context: Context): ContentVoid | undefined {
    const { id, time, kind, body } = node.delta;
    const delta = readChatDelta(kind, body);
    if (!delta) return 'malformed';
    if (delta.kind === 'post') {
      if (!context.can('add')) return 'notPermitted';
      transaction.put(
        POSTS,
        id,
        postToRow(
          { author: context.author, text: delta.text, time, edited: 0, height: node.height },
          context.authorBytes,
        ),
      );
      return undefined;
    }
    if (delta.kind === 'carry') {
      if (!context.can('add') || !context.can('edit')) return 'notPermitted';
      const { text, told } = delta;
      // Nobody tells what is yet to be said.
      if (told.time > time) return 'malformed';
      transaction.put(
        POSTS,
        id,
        postToRow({ author: context.author, text, time, edited: 0, height: node.height, told }, context.authorBytes),
      );
      return undefined;
    }
    const row = transaction.get(POSTS, delta.post);
    if (!row) return 'noTarget';
    const post = postFromRow(row);
    const own = post.author === context.author;
    if (delta.kind === 'edit') {
      if (post.told) return 'noTarget';
      if (!(own ? context.can('editOwn') : context.can('edit'))) return 'notPermitted';
      // Whatever its clock claims: 0 would say that nobody has.
      const edited = Math.max(time, 1);
      transaction.put(POSTS, delta.post, postToRow({ ...post, text: delta.text, edited }, row[0] as Uint8Array));
      return undefined;
    }
    if (!(own ? context.can('deleteOwn') : context.can('delete'))) return 'notPermitted';
    transaction.put(POSTS, delta.post, undefined);
    return undefined;
  },
  isRow: (table, key, row) => table === POSTS && isPostRow(key, row),
  /** A post names nothing. */
  hangTogether: () => true,
};
