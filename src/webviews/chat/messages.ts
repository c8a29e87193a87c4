/**
 * What the chat's page and its host say to each other. The page is asked nothing while hidden (VS Code throws it away then): whenever it
 * comes, it says `ready` and gets a whole snapshot.
 */
export interface ShownPost {
  readonly id: string;
  readonly author: string;
  readonly authorName: string;
  readonly self: boolean;
  readonly text: string;
  readonly time: number;
  /** With the id, the order of the chat (D6). */
  readonly height: number;
  /** Carried over from another workspace by its author: whose it was and from when, as he says. */
  readonly told?: { readonly account: string; readonly name: string; readonly time: number };
  readonly edited: boolean;
  readonly unread: boolean;
  readonly delivery: 'waiting' | 'sent';
}

/** The last that a Date can be: what others claim may lie beyond. */
const LAST_DATE_MS = 8.64e15;

/** When it was said, as far as is told. */
export function shownTime({ told, time }: ShownPost): number {
  return Math.min(told?.time ?? time, LAST_DATE_MS);
}

/** In the order of the chat (D6), in which its pages come: the time that a post claims has no part in it. */
export function isBefore(a: ShownPost, b: ShownPost): boolean {
  return a.height === b.height ? a.id < b.id : a.height < b.height;
}

/** One's own that one may still put otherwise: not what one has told of others. */
export function isEditable({ self, told }: ShownPost): boolean {
  return self && told === undefined;
}

/** What the person may do in the chat (A5): no more is offered. */
export interface ChatRights {
  readonly post: boolean;
  /** One's own. */
  readonly edit: boolean;
  readonly delete: 'none' | 'own' | 'any';
}

export function mayEdit(rights: ChatRights, post: ShownPost): boolean {
  return rights.edit && isEditable(post);
}

export function mayDelete(rights: ChatRights, post: ShownPost): boolean {
  return rights.delete === 'any' || (rights.delete === 'own' && post.self);
}

/** Every word the page shows, in the person's language. */
export interface Labels {
  readonly posts: string;
  readonly write: string;
  readonly send: string;
  readonly editing: string;
  readonly edit: string;
  readonly delete: string;
  readonly edited: string;
  /** With `{0}`, who has carried a post over. */
  readonly told: string;
  /** With `{0}`, whose post it was, and `{1}`, who has carried it over. */
  readonly toldAtLength: string;
  readonly waiting: string;
  readonly sent: string;
  readonly unread: string;
  /** With `{0}`, how many have come at once; never one. */
  readonly many: string;
  readonly older: string;
  readonly empty: string;
  readonly you: string;
  readonly readOnly: string;
  readonly tooLong: string;
}

export type FromHost =
  | {
      readonly type: 'snapshot';
      readonly workspace: string;
      readonly tool: string;
      readonly language: string;
      readonly labels: Labels;
      readonly rights: ChatRights;
      readonly posts: readonly ShownPost[];
      readonly more: boolean;
      /** For a tab that is new: what another of this chat was closed with. */
      readonly unsent?: Unsent;
    }
  | { readonly type: 'posts'; readonly posts: readonly ShownPost[]; readonly removed: readonly string[] }
  /** What was asked for with the same `before`. */
  | { readonly type: 'older'; readonly before: string; readonly posts: readonly ShownPost[]; readonly more: boolean }
  | { readonly type: 'rights'; readonly rights: ChatRights }
  /** The person has asked for the chat: the keyboard is for it now. */
  | { readonly type: 'focus' }
  /** What the person had written comes back to them; with `post`, what that one was to say. */
  | { readonly type: 'failed'; readonly sentence: string; readonly text?: string; readonly post?: string };

export type ToHost =
  | { readonly type: 'ready' }
  | { readonly type: 'post'; readonly text: string }
  | { readonly type: 'edit'; readonly post: string; readonly text: string }
  | { readonly type: 'delete'; readonly post: string }
  | { readonly type: 'older'; readonly before: string }
  | { readonly type: 'unsent'; readonly unsent: Unsent }
  | { readonly type: 'open'; readonly href: string };

export interface PostEdit {
  readonly post: string;
  readonly text: string;
}

/** What is written and not sent. */
export interface Unsent {
  /** What stands in the box; of an edit, the edited text. */
  readonly draft: string;
  /** Which post is being edited. */
  readonly editing?: string;
  /** What was being written when an edit began; it comes back after. */
  readonly put?: string;
  /** Edits whose turn comes after the one under way: they failed meanwhile, or were left for it. */
  readonly later?: readonly PostEdit[];
}

/** What VS Code keeps for the page while it is away. */
export interface PageState extends Unsent {
  readonly workspace: string;
  readonly tool: string;
}

/** As much as the service takes of a message, in UTF-8: at most this many characters. */
const MAX_TEXT_BYTES = 32 * 1024;
const MAX_HREF_CHARACTERS = 4096;
/** Of what is not sent, each text, and how many edits: what is pasted is cut by nobody before it is to be sent. */
const MAX_UNSENT_CHARACTERS = 1024 * 1024;
const MAX_UNSENT_EDITS = 100;

/** Whether a link in a post may be followed: nothing that runs here (`command:`) or reads the disk (`file:`). */
export function isAllowedLink(href: string): boolean {
  return href.length <= MAX_HREF_CHARACTERS && isAllowedScheme(href);
}

/** Of whatever length. */
export function isAllowedScheme(href: string): boolean {
  return /^(https?:\/\/|mailto:|vscode:\/\/)[^\s\p{Cc}]+$/iu.test(href);
}

export function isTooLong(text: string): boolean {
  return new TextEncoder().encode(text).length > MAX_TEXT_BYTES;
}

/** The page shows hostile text, so the host takes nothing from it on trust. */
export function readToHost(value: unknown): ToHost | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, text, post, before, href, unsent: read } = value as Record<string, unknown>;
  switch (type) {
    case 'ready':
      return { type };
    case 'post':
      return isText(text) ? { type, text } : undefined;
    case 'edit':
      return isText(text) && isId(post) ? { type, post, text } : undefined;
    case 'delete':
      return isId(post) ? { type, post } : undefined;
    case 'older':
      return isId(before) ? { type, before } : undefined;
    case 'unsent': {
      const unsent = readUnsent(read);
      return unsent && { type, unsent };
    }
    case 'open':
      return typeof href === 'string' && isAllowedLink(href) ? { type, href } : undefined;
    default:
      return undefined;
  }
}

/** Undefined where it is none, or beyond what is kept. */
export function readUnsent(value: unknown): Unsent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { draft, editing, put = '', later = [] } = value as Record<string, unknown>;
  const isEdit = (one: unknown): one is PostEdit => {
    if (typeof one !== 'object' || one === null) return false;
    const { post, text } = one as Record<string, unknown>;
    return isId(post) && isUnsent(text);
  };
  if (!isUnsent(draft) || !isUnsent(put) || !Array.isArray(later) || later.length > MAX_UNSENT_EDITS) return undefined;
  if (!later.every(isEdit)) return undefined;
  if (editing === undefined) return { draft, put, later };
  return isId(editing) ? { draft, editing, put, later } : undefined;
}

/** What VS Code gives back to restore a page: written by the page once. */
export function readPageState(value: unknown): { readonly workspace: string; readonly tool: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { workspace, tool } = value as Record<string, unknown>;
  return isId(workspace) && isId(tool) ? { workspace, tool } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT_BYTES;
}

function isUnsent(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_UNSENT_CHARACTERS;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.:-]{1,200}$/.test(value);
}
