/**
 * Chat's canonical rows, table `posts` by post id: `[author 32, text, time, edited time or 0, height]`; and how they are
 * indexed and asked for.
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import type { AccountId } from '../../base/ids.ts';
import type { Row } from '../../sync/reducer.ts';

export interface Post {
  readonly author: AccountId;
  readonly text: string;
  readonly time: number;
  readonly edited: number;
  /** Of its delta: with the id, the order of the chat (D6). */
  readonly height: number;
}

export const POSTS = 'posts';

export function postToRow(post: Post): Row {
  return [fromHex(post.author)!, post.text, post.time, post.edited, post.height];
}

export function postFromRow(row: Row): Post {
  const [author, text, time, edited, height] = row as [Uint8Array, string, number, number, number];
  return { author: toHex(author) as AccountId, text, time, edited, height };
}

export const chatSchema = [
  `create table chat (workspace text, tool text, id text, height integer, author text, body text, time integer, edited integer,
    primary key (tool, id)) without rowid`,
  'create index chat_order on chat (tool, height, id)',
];

export const chatQueries = {
  put: 'insert or replace into chat values (?, ?, ?, ?, ?, ?, ?, ?)',
  drop: 'delete from chat where tool = ? and id = ?',
  newest: 'select id, height from chat where tool = ? order by height desc, id desc limit ?',
  before: 'select id, height from chat where tool = ? and (height, id) < (?, ?) order by height desc, id desc limit ?',
};
