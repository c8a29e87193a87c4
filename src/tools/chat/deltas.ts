/**
 * Chat's deltas.
 *
 * | kind | body |
 * | --- | --- |
 * | post | [text] — the post's id is the delta's |
 * | edit | [post 32, text] |
 * | unpost | [post 32] |
 * | carry | [text, account 32, name, time]: a post of another workspace, as its author tells it whose it was and from when (A7) |
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import type { AccountId, DeltaId } from '../../base/ids.ts';
import { asArray, asBytes, asCount, asText, type Value } from '../../protocol/codec.ts';
import { MAX_CHAT_TEXT_BYTES, MAX_NAME_BYTES } from '../../protocol/limits.ts';

/** Whose post it was, where somebody has carried it over: his word, not theirs. */
export interface Told {
  readonly account: AccountId;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export type ChatDelta =
  | { readonly kind: 'post'; readonly text: string }
  | { readonly kind: 'edit'; readonly post: DeltaId; readonly text: string }
  | { readonly kind: 'unpost'; readonly post: DeltaId }
  | { readonly kind: 'carry'; readonly text: string; readonly told: Told };

export function chatBody(delta: ChatDelta): Value {
  switch (delta.kind) {
    case 'post':
      return [delta.text];
    case 'edit':
      return [fromHex(delta.post)!, delta.text];
    case 'unpost':
      return [fromHex(delta.post)!];
    case 'carry':
      return [delta.text, ...toldToValues(delta.told)];
  }
}

export function toldToValues({ account, name, time }: Told): readonly Value[] {
  return [fromHex(account)!, name, time];
}

export function toldFromValues(f: readonly (Value | undefined)[]): Told | undefined {
  const [account, name, time] = [asBytes(f[0], ACCOUNT_BYTES), asText(f[1], MAX_NAME_BYTES), asCount(f[2])];
  return account && name !== undefined && time !== undefined
    ? { account: toHex(account) as AccountId, name, time }
    : undefined;
}

const ACCOUNT_BYTES = 32;
/** Fields of each body: one more or one fewer is another body, which nobody knows (D4). */
const FIELDS: ReadonlyMap<string, number> = new Map<ChatDelta['kind'], number>([
  ['post', 1],
  ['edit', 2],
  ['unpost', 1],
  ['carry', 4],
]);

/** Whether it is of chat, if it is of any tool; what is accepted has a body that can be read. */
export function isChatKind(kind: string): boolean {
  return FIELDS.has(kind);
}

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
    case 'carry': {
      const [text, told] = [readText(f?.[0]), toldFromValues(f?.slice(1) ?? [])];
      return text !== undefined && told ? { kind, text, told } : undefined;
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
