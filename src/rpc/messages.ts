/**
 * What passes between a client and the server of the api, in this order:
 *
 * | from | message | when |
 * |---|---|---|
 * | client | hello | first, with the protocol and the build that it is |
 * | server | refused | the versions differ; it closes then |
 * | server | opening | at once: the owner is alive |
 * | server | welcome | when the service is open: calls may come |
 * | client | call | a method with its arguments; `key` is the idempotency id (L3) |
 * | client | shows | which chats it shows, all of them: of no other it is told what is said there |
 * | client | ping | where it has heard nothing for a while: whether the owner is alive |
 * | server | pong | at once |
 * | server | answer, failure | one of them per call; a failure has the code and detail of a ServiceError and no stack |
 * | server | event | any time after the welcome |
 */
import { MAX_CALL_KEY_LENGTH } from '../protocol/limits.ts';
import type { CallKey, ServiceErrorCode, ServiceEvent } from '../service/api.ts';
import { isMethodName, type MethodName } from './methods.ts';
import { MAX_CHATS_SHOWN } from './rpc-limits.ts';

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly build: string;
}

export interface Call {
  readonly type: 'call';
  readonly id: number;
  readonly method: MethodName;
  readonly args: readonly unknown[];
  readonly key?: CallKey;
}

export interface Ping {
  readonly type: 'ping';
}

/** A chat by its workspace and tool. */
export interface ChatPlace {
  readonly workspace: string;
  readonly tool: string;
}

export interface Shows {
  readonly type: 'shows';
  readonly chats: readonly ChatPlace[];
}

export type ClientMessage = Hello | Call | Ping | Shows;

export type ServerMessage =
  | { readonly type: 'refused'; readonly protocol: number; readonly build: string }
  | { readonly type: 'opening' }
  | { readonly type: 'welcome' }
  | { readonly type: 'pong' }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | {
      readonly type: 'failure';
      readonly id: number;
      readonly code: ServiceErrorCode;
      readonly detail: Readonly<Record<string, string>>;
    }
  | { readonly type: 'event'; readonly event: ServiceEvent };

const MAX_ARGUMENTS = 8;
const MAX_ID_LENGTH = 64;

/** The message, or undefined where it is none. The arguments are the service's to check. */
export function clientMessageOf(value: unknown): ClientMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { type, protocol, build, id, method, args, key } = value;
  if (type === 'hello') {
    return typeof protocol === 'number' && typeof build === 'string' ? { type, protocol, build } : undefined;
  }
  if (type === 'ping') return { type };
  if (type === 'shows') return showsOf(value['chats']);
  if (type !== 'call' || !Number.isSafeInteger(id) || !isMethodName(method)) return undefined;
  if (!Array.isArray(args) || args.length > MAX_ARGUMENTS) return undefined;
  if (key === undefined) return { type, id: id as number, method, args };
  if (typeof key !== 'string' || key.length > MAX_CALL_KEY_LENGTH) return undefined;
  return { type, id: id as number, method, args, key };
}

function showsOf(chats: unknown): Shows | undefined {
  if (!Array.isArray(chats) || chats.length > MAX_CHATS_SHOWN) return undefined;
  const places = chats.flatMap((chat: unknown) => {
    const { workspace, tool } = isRecord(chat) ? chat : {};
    return isId(workspace) && isId(tool) ? [{ workspace, tool }] : [];
  });
  return places.length === chats.length ? { type: 'shows', chats: places } : undefined;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_ID_LENGTH;
}

/** The owner has proved itself and is the same build: only the outline is looked at. */
export function serverMessageOf(value: unknown): ServerMessage | undefined {
  return isRecord(value) && typeof value['type'] === 'string' ? (value as unknown as ServerMessage) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
