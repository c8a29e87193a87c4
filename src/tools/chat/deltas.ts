/**
 * Chat's deltas.
 *
 * | kind | body |
 * | --- | --- |
 * | post | [text] — the post's id is the delta's |
 * | edit | [post 32, text] |
 * | unpost | [post 32] |
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import type { DeltaId } from '../../base/ids.ts';
import { asArray, asBytes, asText, type Value } from '../../protocol/codec.ts';
import { MAX_CHAT_TEXT_BYTES } from '../../protocol/limits.ts';

export type ChatDelta =
  | { readonly kind: 'post'; readonly text: string }
  | { readonly kind: 'edit'; readonly post: DeltaId; readonly text: string }
  | { readonly kind: 'unpost'; readonly post: DeltaId };

export function chatBody(delta: ChatDelta): Value {
  switch (delta.kind) {
    case 'post':
      return [delta.text];
    case 'edit':
      return [fromHex(delta.post)!, delta.text];
    case 'unpost':
      return [fromHex(delta.post)!];
  }
}

/** Fields of each body: one more or one fewer is another body, which nobody knows (D4). */
const FIELDS: ReadonlyMap<string, number> = new Map<ChatDelta['kind'], number>([
  ['post', 1],
  ['edit', 2],
  ['unpost', 1],
]);

export function readChatDelta(kind: string, body: Value): ChatDelta | undefined {
  const count = FIELDS.get(kind);
  const f = count === undefined ? undefined : asArray(body, count);
  switch (kind) {
    case 'post': {
      const text = readText(f?.[0]);
      return text === undefined ? undefined : { kind, text };
    }
    case 'edit': {
      const [post, text] = [asBytes(f?.[0], 32), readText(f?.[1])];
      return post && text !== undefined ? { kind, post: toHex(post) as DeltaId, text } : undefined;
    }
    case 'unpost': {
      const post = asBytes(f?.[0], 32);
      return post && { kind, post: toHex(post) as DeltaId };
    }
    default:
      return undefined;
  }
}

/** A text that a post may have. */
export function readText(value: Value | undefined): string | undefined {
  const text = asText(value, MAX_CHAT_TEXT_BYTES);
  return text === undefined || text.trim() === '' ? undefined : text;
}
