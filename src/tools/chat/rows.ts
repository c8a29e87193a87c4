/**
 * Chat's canonical rows, table `posts` by post id: `[author 32, text, time, edited time or 0, height, told or null]`; told, of a post
 * that its author has carried over, is `[account 32, name, time]` of whose it was; and how they are
 * indexed and asked for.
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import { isDeltaId, type AccountId } from '../../base/ids.ts';
import { asArray, asBytes, asCount, type Value } from '../../protocol/codec.ts';
import { MAX_TIME_MS } from '../../protocol/limits.ts';
import type { Row } from '../../sync/reducer.ts';
import { readText, toldFromValues, toldToValues, type Told } from './deltas.ts';

export interface Post {
  readonly author: AccountId;
  readonly text: string;
  readonly time: number;
  readonly edited: number;
  /** Of its delta: with the id, the order of the chat (D6). */
  readonly height: number;
  readonly told?: Told;
}

export const POSTS = 'posts';
const ID_BYTES = 32;

/** `authorBytes`: of its author, where they are there already. */
export function postToRow(post: Post, authorBytes = fromHex(post.author)!): Row {
  const { text, time, edited, height, told } = post;
  return [authorBytes, text, time, edited, height, told ? [...toldToValues(told)] : null];
}

/** Of a row that the reducer has put, or `isPostRow` has let in. */
export function postFromRow(row: Row): Post {
  const [author, text, time, edited, height] = row as [Uint8Array, string, number, number, number];
  const told = toldOf((row as Value[])[5]);
  return { author: toHex(author) as AccountId, text, time, edited, height, ...(told ? { told } : {}) };
}

/** Whether this could stand in the table under that key (L6). */
export function isPostRow(key: string, row: Value): boolean {
  const f = asArray(row, 6);
  return (
    isDeltaId(key) &&
    asBytes(f?.[0], ID_BYTES) !== undefined &&
    readText(f?.[1]) !== undefined &&
    asCount(f?.[2], MAX_TIME_MS) !== undefined &&
    asCount(f?.[3], MAX_TIME_MS) !== undefined &&
    // A tool's delta has the genesis in its past.
    (asCount(f?.[4]) ?? 0) > 1 &&
    (f?.[5] === null || isToldBy(toldOf(f?.[5]), f?.[2]))
  );
}

function isToldBy(told: Told | undefined, time: Value | undefined): boolean {
  return told !== undefined && told.time <= (time as number);
}

function toldOf(value: Value | undefined): Told | undefined {
  const f = asArray(value, 3);
  return f && toldFromValues(f);
}

/** Of a row that is sound: what its post stands at in the chat, without reading the rest. */
export function heightOfPost(row: Row): number {
  return row[4] as number;
}

/**
 * Scopes are numbers of tools; ids are 32 bytes. Posts stand in the order of the chat alone: they come nearly in it, and go seldom. A
 * second order, by id, would cost each that comes more than the first; to find those that go, all of a scope are looked through, once for
 * many.
 */
export const chatSchema = [
  'create table chat (scope integer, height integer, id blob, primary key (scope, height, id)) without rowid',
];

/** So many rows in one statement: each costs a fifth of a statement of its own. */
export const PUT_AT_ONCE = 32;
export const DROP_AT_ONCE = 64;

const holders = (one: string, count: number) => Array.from({ length: count }, () => one).join(', ');

export const chatQueries = {
  /** [scope, height, id]; a post keeps its height for ever. */
  put: 'insert or ignore into chat values (?, ?, ?)',
  putMany: `insert or ignore into chat values ${holders('(?, ?, ?)', PUT_AT_ONCE)}`,
  /** [scope, id …]; the same one may stand there again. */
  drop: `delete from chat where scope = ? and id in (${holders('?', DROP_AT_ONCE)})`,
  clear: 'delete from chat where scope = ?',
  newest: 'select id from chat where scope = ? order by height desc, id desc limit ?',
  before: 'select id from chat where scope = ? and (height, id) < (?, ?) order by height desc, id desc limit ?',
};
