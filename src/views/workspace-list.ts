/** The window's copy of the list of workspaces: asked for again whenever the service says that something in it has changed. */
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { Emitter, type Event } from '../base/event.ts';
import type {
  ClosedInfo,
  JoinInfo,
  JoinRequestInfo,
  LinkInfo,
  OfferInfo,
  ToolInfo,
  WorkspaceInfo,
} from '../service/api.ts';
import type { Session } from './session.ts';

export interface Lists {
  readonly workspaces: readonly WorkspaceInfo[];
  /** Joins that are under way. */
  readonly joins: readonly JoinInfo[];
  readonly requests: readonly JoinRequestInfo[];
  /** Workspaces that others continue elsewhere, and ask this person into. */
  readonly offers: readonly OfferInfo[];
  /** What this person is out of. */
  readonly closed: readonly ClosedInfo[];
  /** This machine is becoming one of the person's devices, or has become one since VS Code was opened. */
  readonly linking: 'underWay' | 'done' | undefined;
}

const EMPTY: Lists = { workspaces: [], joins: [], requests: [], offers: [], closed: [], linking: undefined };

export class WorkspaceList implements Disposable {
  readonly #session: Session;
  readonly #changes = new Emitter<Lists>();
  readonly #held = new DisposableStore();
  #lists = EMPTY;
  /** The reload under way, and whether another was asked for meanwhile: however many events come, at most one waits. */
  #loading: Promise<void> | undefined;
  #stale = false;

  constructor(session: Session) {
    this.#session = session;
    this.#held.add(
      session.onState((state) => {
        if (state.kind === 'open') void this.reload();
        else if (state.kind !== 'connecting') this.#become(EMPTY);
      }),
    );
    this.#held.add(
      session.events((event) => {
        if (['workspaces', 'join', 'joinRequest', 'joined', 'offer', 'link'].includes(event.type)) void this.reload();
      }),
    );
  }

  readonly onChange: Event<Lists> = this.#changes.event;

  get lists(): Lists {
    return this.#lists;
  }

  get workspaces(): readonly WorkspaceInfo[] {
    return this.#lists.workspaces;
  }

  get unread(): number {
    return this.#lists.workspaces.reduce((sum, workspace) => sum + workspace.unread, 0);
  }

  workspace(id: string): WorkspaceInfo | undefined {
    return this.#lists.workspaces.find((workspace) => workspace.id === id);
  }

  tool(workspace: string, tool: string): ToolInfo | undefined {
    return this.workspace(workspace)?.tools.find(({ id }) => id === tool);
  }

  /** Resolves when a list is here that was asked for after this call. */
  reload(): Promise<void> {
    if (this.#loading !== undefined) {
      this.#stale = true;
      return this.#loading;
    }
    this.#loading = this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  dispose(): void {
    this.#held.dispose();
    this.#changes.dispose();
  }

  async #load(): Promise<void> {
    do await this.#loadOnce();
    while (this.#takeStale());
  }

  async #loadOnce(): Promise<void> {
    const api = this.#session.current;
    if (api === undefined) return;
    try {
      const asked = [
        api.workspaces(),
        api.joins(),
        api.joinRequests(),
        api.closed(),
        api.linking(),
        api.offers(),
      ] as const;
      const [workspaces, joins, requests, closed, link, offers] = await Promise.all(asked);
      const underWay = joins.filter(({ state }) => state === 'asking' || state === 'waiting' || state === 'copying');
      this.#become({ workspaces, joins: underWay, requests, offers, closed, linking: linkingOf(link) });
    } catch {
      // The connection went while asking: the next state brings the next list.
    }
  }

  #takeStale(): boolean {
    const stale = this.#stale;
    this.#stale = false;
    return stale;
  }

  #become(lists: Lists): void {
    this.#lists = lists;
    this.#changes.fire(lists);
  }
}

function linkingOf(link: LinkInfo | undefined): Lists['linking'] {
  if (link === undefined || link.state === 'refused') return undefined;
  return link.state === 'done' ? 'done' : 'underWay';
}
