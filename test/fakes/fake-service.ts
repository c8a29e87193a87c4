/** A small service in memory: enough of CoterieApi for views to be tried without worker, store and network. */
import { Emitter } from '../../src/base/event.ts';
import {
  type ChatPost,
  type CoterieApi,
  type FileChange,
  type FileEntry,
  type ImportReport,
  type JoinInfo,
  type LinkInfo,
  type JoinRequestInfo,
  type MemberInfo,
  type OfferInfo,
  type PermissionAction,
  type PermissionInfo,
  type PermissionScope,
  type PermissionTarget,
  type Role,
  ServiceError,
  type ServiceEvent,
  type ToolInfo,
  type ToolKind,
  type WorkspaceInfo,
} from '../../src/service/api.ts';
import type { ChatPlace } from '../../src/rpc/messages.ts';
import { allowedByDefault, askedOf } from '../../src/sync/permissions.ts';

interface FakeFile extends FileEntry {
  readonly content: Uint8Array;
}

interface FakeTool {
  readonly id: string;
  readonly kind: ToolKind;
  name: string;
  readonly files: Map<string, FakeFile>;
  posts: ChatPost[];
}

interface FakeWorkspace {
  readonly id: string;
  name: string;
  role: Role;
  readonly tools: Map<string, FakeTool>;
  readonly members: MemberInfo[];
  /** What managers have said, each of a target, an action and a role. */
  readonly settings: { target: PermissionTarget; action: PermissionAction; role: Role; allow: boolean | null }[];
}

const RANKS = { manager: 0, participant: 1, guest: 2 } as const;
const BASE_TIME = Date.UTC(2026, 0, 5, 9, 0, 0);
const SAFETY = '12345 67890 12345 67890 12345 67890';
const nothing: ImportReport = { files: 0, folders: 0, bytes: 0, skipped: [], cancelled: false };

export class FakeService {
  readonly emitter = new Emitter<ServiceEvent>();
  readonly events = this.emitter.event;
  readonly closed = new Emitter<Error | undefined>();
  readonly onClosed = this.closed.event;
  readonly owner = new Emitter<'stalled' | 'answers' | 'changed'>();
  readonly onOwner = this.owner.event;
  /** What the window has said it shows, each time. */
  readonly shown: (readonly ChatPlace[])[] = [];
  readonly calls: string[] = [];

  show(chats: readonly ChatPlace[]): void {
    this.shown.push(chats);
  }

  readonly fakeJoins: JoinInfo[] = [];
  link: LinkInfo | undefined;
  readonly requests: JoinRequestInfo[] = [];
  readonly offers: OfferInfo[] = [];
  readonly #workspaces = new Map<string, FakeWorkspace>();
  readonly self = 'aa'.repeat(32);
  disposed = false;
  #counter = 0;

  readonly api: CoterieApi = this.#makeApi();

  async dispose(): Promise<void> {
    this.disposed = true;
  }

  workspace(id: string): FakeWorkspace {
    return found(this.#workspaces.get(id));
  }

  /** A change by another member. */
  writeAs(workspace: string, tool: string, path: string, text: string, author = 'bob'): void {
    this.#put(this.#tool(workspace, tool), path, new TextEncoder().encode(text), author);
    this.#filesChanged(workspace, tool, [{ path, type: 'changed' }]);
  }

  postAs(workspace: string, tool: string, text: string, authorName = 'Bob'): ChatPost {
    const post = this.#post(text, authorName.toLowerCase(), authorName, false);
    this.#tool(workspace, tool).posts.push(post);
    this.emitter.fire({ type: 'chat', workspace, tool, posts: [post], removed: [] });
    this.#changed();
    return post;
  }

  addMember(workspace: string, name: string, more: Partial<MemberInfo> = {}): void {
    const account = this.#id(32);
    this.workspace(workspace).members.push({ ...memberOf(account, name), ...more });
    this.#changed();
  }

  #makeApi(): CoterieApi {
    const api: CoterieApi = {
      identity: async () => ({ account: this.self, device: 'dd'.repeat(32), name: 'Alice', deviceName: 'laptop' }),
      configure: async () => undefined,
      recoveryPhrase: async () => `${'abandon '.repeat(23)}art`,
      restoreAccount: async () => undefined,
      makeLinkCode: async (scheme) => ({
        code: 'c0de',
        link: `${scheme}://coterie.coterie/link#c0de`,
        expires: BASE_TIME,
      }),
      withdrawLinkCode: async () => undefined,
      deviceRequests: async () => [],
      answerDevice: async () => undefined,
      linkDevice: async () => ({ state: 'asking', number: '1234 5678 9012' }),
      linking: async () => this.link,
      cancelLink: async () => undefined,
      devices: async () => [
        { device: 'dd'.repeat(32), name: 'laptop', self: true, added: BASE_TIME, online: true, inSync: true },
      ],
      renameDevice: async () => undefined,
      removeDevice: async () => undefined,
      relay: async () => ({ state: 'off' }),
      workspaces: async () => [...this.#workspaces.values()].map((workspace) => this.#infoOf(workspace)),
      createWorkspace: async ({ name }) => {
        const id = this.#id(32);
        const alice = { ...memberOf(this.self, 'Alice'), self: true, role: 'manager' as const };
        this.#workspaces.set(id, {
          id,
          name,
          role: 'manager',
          tools: new Map(),
          members: [alice],
          settings: [],
        });
        await api.addTool(id, 'files', 'Files');
        await api.addTool(id, 'chat', 'Chat');
        return id;
      },
      renameWorkspace: async (workspace, name) => {
        this.workspace(workspace).name = name;
        this.#changed();
      },
      addTool: async (workspace, kind, name) => {
        const id = this.#id(8);
        this.workspace(workspace).tools.set(id, { id, kind, name, files: new Map(), posts: [] });
        this.#changed();
        return id;
      },
      renewCopy: async () => 'Ada',
      renameTool: async (workspace, tool, name) => {
        this.#tool(workspace, tool).name = name;
        this.#changed();
      },
      deleteTool: async (workspace, tool) => {
        this.workspace(workspace).tools.delete(tool);
        this.#changed();
      },
      markSeen: async (workspace, tool, item) => {
        const { files, posts } = this.#tool(workspace, tool);
        for (const [path, file] of files) {
          if (item === undefined || file.item === item) files.set(path, { ...file, unread: false });
        }
        const seen = posts.filter(({ unread }) => unread).map((post) => ({ ...post, unread: false }));
        this.#tool(workspace, tool).posts = posts.map((post) => ({ ...post, unread: false }));
        if (seen.length > 0) this.emitter.fire({ type: 'chat', workspace, tool, posts: seen, removed: [] });
        this.#changed();
      },
      setVerified: async () => undefined,
      setRole: async () => undefined,
      removeMember: async () => undefined,
      absentDevices: async () => [],
      dropDevices: async () => undefined,
      freezeDevice: async () => undefined,
      setPermission: async (workspace, target, action, role, allow) => {
        this.workspace(workspace).settings.push({ target, action, role, allow });
        this.#changed();
      },
      permissions: async (workspace) => permissionsIn(this.workspace(workspace)),
      leaveWorkspace: async () => undefined,
      deleteWorkspace: async () => undefined,
      continueWorkspace: async (_workspace, { name }) => {
        const workspace = await api.createWorkspace({ name });
        return { workspace, files: 0, folders: 0, bytes: 0, posts: 0, absent: [], invited: [] };
      },
      offers: async () => this.offers,
      answerOffer: async (offer) =>
        void this.offers.splice(
          this.offers.findIndex(({ id }) => id === offer),
          1,
        ),
      notAccepted: async () => [],
      closed: async () => [],
      saveWork: async () => ({ files: 0, folders: 0, bytes: 0, skipped: [], cancelled: false }),
      forget: async () => undefined,
      invite: async () => ({ id: this.#id(8), link: 'vscode://coterie.coterie/join#fake', file: 'fake' }),
      revokeInvitation: async () => undefined,
      readInvitation: async () => ({
        workspaceName: 'Apollo',
        workspace: 'ee'.repeat(32),
        inviterName: 'Bob',
        inviterAccount: 'bb'.repeat(32),
        safetyNumber: SAFETY,
        role: 'participant',
        expires: BASE_TIME + 7 * 86_400_000,
        alreadyMember: false,
      }),
      putBack: async () => ({ posts: 0, files: 0, deeds: 0, left: 0 }),
      fetchAgain: async () => undefined,
      acceptInvitation: async () => {
        const join: JoinInfo = {
          workspace: 'ee'.repeat(32),
          workspaceName: 'Apollo',
          own: false,
          state: 'asking',
          doneBytes: 0,
          totalBytes: 0,
        };
        this.fakeJoins.push(join);
        return join;
      },
      joins: async () => this.fakeJoins,
      cancelJoin: async () => undefined,
      joinRequests: async () => this.requests,
      answerJoin: async () => undefined,
      stat: async (workspace, tool, path) => found(this.#tool(workspace, tool).files.get(path)),
      list: async (workspace, tool, folder) => {
        const { files } = this.#tool(workspace, tool);
        if (folder !== '/' && found(files.get(folder)).kind === 'file') throw new ServiceError('notAFolder');
        return [...files].filter(([path]) => parent(path) === folder).map(([, file]) => file);
      },
      read: async (workspace, tool, path, range) => {
        const { content, kind } = found(this.#tool(workspace, tool).files.get(path));
        if (kind === 'folder') throw new ServiceError('isAFolder');
        return range === undefined ? content.slice() : content.slice(range.offset, range.offset + range.length);
      },
      write: async (workspace, tool, path, bytes, { create, overwrite, base }) => {
        const store = this.#tool(workspace, tool);
        const present = store.files.get(path);
        if (present === undefined && !create) throw new ServiceError('notFound', { path });
        if (present !== undefined && !overwrite) throw new ServiceError('exists', { path });
        const conflict = present !== undefined && base !== undefined && base !== present.version;
        const target = conflict ? `${path} (conflict)` : path;
        const version = this.#put(store, target, bytes, this.self);
        this.#filesChanged(workspace, tool, [{ path: target, type: present && !conflict ? 'changed' : 'created' }]);
        return version;
      },
      makeFolder: async (workspace, tool, path) => {
        const { files } = this.#tool(workspace, tool);
        if (files.has(path)) throw new ServiceError('exists', { path });
        files.set(path, this.#entry(path, 'folder', new Uint8Array(), this.self));
        this.#filesChanged(workspace, tool, [{ path, type: 'created' }]);
      },
      remove: async (workspace, tool, path, { recursive }) => {
        const { files } = this.#tool(workspace, tool);
        found(files.get(path));
        const inside = [...files.keys()].filter((other) => other.startsWith(`${path}/`));
        if (inside.length > 0 && !recursive) throw new ServiceError('notEmpty', { path });
        for (const gone of [path, ...inside]) files.delete(gone);
        this.#filesChanged(workspace, tool, [{ path, type: 'deleted' }]);
      },
      rename: async (workspace, tool, from, to, { overwrite }) => {
        await api.copy(workspace, tool, from, to, { overwrite });
        await api.remove(workspace, tool, from, { recursive: true });
      },
      copy: async (workspace, tool, from, to, { overwrite }) => {
        const { files } = this.#tool(workspace, tool);
        found(files.get(from));
        if (files.has(to) && !overwrite) throw new ServiceError('exists', { path: to });
        for (const [path, file] of [...files]) {
          if (path !== from && !path.startsWith(`${from}/`)) continue;
          const target = to + path.slice(from.length);
          files.set(target, { ...file, name: nameOf(target) });
        }
        this.#filesChanged(workspace, tool, [{ path: to, type: 'created' }]);
      },
      importPaths: async () => nothing,
      exportPath: async () => nothing,
      cancel: async () => undefined,
      post: async (workspace, tool, text) => {
        const post = this.#post(text, this.self, 'Alice', true);
        this.#tool(workspace, tool).posts.push(post);
        this.emitter.fire({ type: 'chat', workspace, tool, posts: [post], removed: [] });
        return post;
      },
      editPost: async (workspace, tool, id, text) => {
        const store = this.#tool(workspace, tool);
        const edited = { ...found(store.posts.find((post) => post.id === id)), text, edited: true };
        store.posts = store.posts.map((post) => (post.id === id ? edited : post));
        this.emitter.fire({ type: 'chat', workspace, tool, posts: [edited], removed: [] });
      },
      deletePost: async (workspace, tool, id) => {
        const store = this.#tool(workspace, tool);
        store.posts = store.posts.filter((post) => post.id !== id);
        this.emitter.fire({ type: 'chat', workspace, tool, posts: [], removed: [id] });
      },
      chat: async (workspace, tool, { before, limit }) => {
        const { posts } = this.#tool(workspace, tool);
        const end = before === undefined ? posts.length : posts.findIndex(({ id }) => id === before);
        const start = Math.max(0, end - limit);
        return { posts: posts.slice(start, end), more: start > 0 };
      },
    };
    return new Proxy(api, {
      get: (target, name: keyof CoterieApi) => {
        const call = target[name] as ((...args: unknown[]) => unknown) | undefined;
        // Whoever awaits it asks for `then`.
        if (call === undefined) return undefined;
        return (...args: unknown[]) => {
          this.calls.push(name);
          return call(...args);
        };
      },
    });
  }

  #infoOf({ id, name, role, tools, members }: FakeWorkspace): WorkspaceInfo {
    const infos = [...tools.values()].map((tool): ToolInfo => ({
      id: tool.id,
      kind: tool.kind,
      name: tool.name,
      may: mayAs(role, tool.kind),
      unread: [...tool.files.values(), ...tool.posts].filter(({ unread }) => unread).length,
    }));
    const others = members.filter(({ self }) => !self);
    const inSync = others.filter((member) => member.inSync).length;
    const unread = infos.reduce((sum, tool) => sum + tool.unread, 0);
    const settled = {
      relayed: 0,
      missingChunks: 0,
      missingBytes: 0,
      differing: [],
      outOfStep: false,
      newer: [],
      renewing: false,
    };
    const sync = { others: others.length, inSync, ...settled };
    const may = mayAs(role, 'workspace');
    return { id, name, role, state: 'open', tools: infos, may, members: [...members], sync, unread };
  }

  #put({ files }: FakeTool, path: string, content: Uint8Array, author: string): string {
    const entry = this.#entry(path, 'file', content, author);
    files.set(path, entry);
    return entry.version;
  }

  #entry(path: string, kind: FileEntry['kind'], content: Uint8Array, author: string): FakeFile {
    const version = this.#id(32);
    const time = BASE_TIME + this.#counter;
    return {
      item: this.#id(8),
      name: nameOf(path),
      kind,
      bytes: content.length,
      modified: time,
      created: time,
      modifiedBy: author,
      version,
      present: true,
      unread: author !== this.self,
      content: content.slice(),
    };
  }

  #post(text: string, author: string, authorName: string, self: boolean): ChatPost {
    const time = BASE_TIME + this.#counter * 60_000;
    const id = this.#id(32);
    const height = this.#counter;
    return { id, author, authorName, self, text, time, height, edited: false, unread: !self, delivery: 'waiting' };
  }

  #tool(workspace: string, tool: string): FakeTool {
    return found(this.workspace(workspace).tools.get(tool));
  }

  #filesChanged(workspace: string, tool: string, changes: readonly FileChange[]): void {
    this.emitter.fire({ type: 'files', workspace, tool, changes });
    this.#changed();
  }

  #changed(): void {
    this.emitter.fire({ type: 'workspaces' });
  }

  #id(bytes: number): string {
    this.#counter++;
    return this.#counter.toString(16).padStart(2 * bytes, '0');
  }
}

function memberOf(account: string, name: string): MemberInfo {
  const presence = 'online';
  return {
    account,
    name,
    role: 'participant',
    self: false,
    presence,
    safetyNumber: SAFETY,
    verified: false,
    inSync: true,
    devices: [],
  };
}

/** By the default permissions. */
export function mayAs(role: Role, scope: PermissionScope): readonly PermissionAction[] {
  return askedOf(scope).filter((action) => allowedByDefault(scope, action, RANKS[role])) as PermissionAction[];
}

function permissionsIn({ settings, tools }: FakeWorkspace): PermissionInfo[] {
  const said = (tool: string | undefined, scope: PermissionScope, action: PermissionAction, role: Role) =>
    settings.findLast(({ target, ...one }) => {
      const isOf = typeof target === 'string' ? tool === undefined && target === scope : target.tool === tool;
      return isOf && one.action === action && one.role === role;
    });
  const describe = (scope: PermissionScope, tool: string | undefined): PermissionInfo[] =>
    mayAs('manager', scope).flatMap((action) =>
      (['participant', 'guest'] as const).map((role): PermissionInfo => {
        const byDefault = mayAs(role, scope).includes(action);
        const otherwise = tool === undefined ? byDefault : (said(undefined, scope, action, role)?.allow ?? byDefault);
        const last = said(tool, scope, action, role);
        return {
          ...{ scope, ...(tool === undefined ? {} : { tool }), action, role },
          ...{ allowed: last?.allow ?? otherwise, otherwise, own: typeof last?.allow === 'boolean' },
          ...(last ? { changed: { by: 'Alice', self: true, at: BASE_TIME } } : {}),
        };
      }),
    );
  const scopes = ['workspace', 'files', 'chat'] as const;
  return [
    ...scopes.flatMap((scope) => describe(scope, undefined)),
    ...[...tools.values()].flatMap(({ id, kind }) => describe(kind, id)),
  ];
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new ServiceError('notFound');
  return value;
}

function parent(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut === 0 ? '/' : path.slice(0, cut);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
