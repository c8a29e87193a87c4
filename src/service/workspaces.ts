/** The workspaces that this device hosts, each with its invitations; and how a new one is founded. */
import type { ToolId, WorkspaceId } from '../base/ids.ts';
import type { Value } from '../protocol/codec.ts';
import { controlBody } from '../sync/control.ts';
import { signDelta, type Delta } from '../sync/delta.ts';
import { boxEpoch, epochOf, type Epoch } from '../sync/epoch.ts';
import { type CallKey, ServiceError, type ServiceEvent, type ToolKind } from './api.ts';
import { Absence } from './absence.ts';
import { Chat } from './chat.ts';
import type { Hub } from './hub.ts';
import type { Imaged } from './index-image.ts';
import { Inviting } from './inviting.ts';
import { announceSelf } from './own-names.ts';
import { Readmitting } from './readmitting.ts';
import { Renewing } from './renewing.ts';
import { EMPTY_LOG, encodeRecord, type KeptLog } from './records.ts';
import { SharedWorkspace } from './shared-workspace.ts';

export interface Hosted {
  readonly workspace: SharedWorkspace;
  readonly inviting: Inviting;
  readonly readmitting: Readmitting;
  readonly absence: Absence;
  readonly renewing: Renewing;
}

export interface FoundOptions {
  readonly call?: CallKey | undefined;
  /** A word in local state that goes to disk with it, or not at all. */
  readonly mark?: { readonly key: (id: WorkspaceId) => string; readonly value: Value };
}

export class Workspaces {
  readonly #hub: Hub;
  readonly #withdraw: (records: readonly Uint8Array[]) => void;
  readonly #hosted = new Map<WorkspaceId, Hosted>();
  /** L1: what is on its way to the disk, and in no copy before it is there. */
  readonly #founding = new Set<Uint8Array>();

  /** `withdraw` takes back records that could not be written. */
  constructor(hub: Hub, withdraw: (records: readonly Uint8Array[]) => void) {
    this.#hub = hub;
    this.#withdraw = withdraw;
  }

  // ---- which there are --------------------------------------------------------------------------------------------------

  get size(): number {
    return this.#hosted.size;
  }

  [Symbol.iterator](): IterableIterator<Hosted> {
    return this.#hosted.values();
  }

  /** Records of workspaces that are being founded: whoever writes the journal anew meanwhile keeps them. */
  get founding(): Iterable<Uint8Array> {
    return this.#founding;
  }

  each(act: (workspace: SharedWorkspace) => void): void {
    for (const { workspace } of this) act(workspace);
  }

  get(id: WorkspaceId): Hosted | undefined {
    return this.#hosted.get(id);
  }

  /** One that this person is in. Throws ServiceError('notFound'). */
  find(workspace: string): Hosted {
    const hosted = this.#hosted.get(workspace as WorkspaceId);
    if (!hosted?.workspace.self) throw new ServiceError('notFound', {});
    return hosted;
  }

  /** Throws ServiceError('notFound'), for a tool of another kind, too. */
  findTool(workspace: string, tool: string, kind?: ToolKind): Hosted & { readonly kind: string } {
    const hosted = this.find(workspace);
    const record = hosted.workspace.roster.tools.get(tool as ToolId);
    if (!record || (kind !== undefined && record.kind !== kind)) throw new ServiceError('notFound', {});
    return { ...hosted, kind: record.kind };
  }

  /** Own names and relay, said anew wherever others are known. */
  async announce(): Promise<void> {
    for (const { workspace } of this) await announceSelf(this.#hub, workspace).catch(() => undefined);
  }

  // ---- coming and going -------------------------------------------------------------------------------------------------

  /** With what the journal has of it, and what of it is in the index already. */
  host(id: WorkspaceId, log: KeptLog, imaged?: Imaged): Hosted {
    const { index } = this.#hub;
    const workspace = new SharedWorkspace(this.#hub, id, {
      chat: (tool, changes) => {
        const chat = new Chat(workspace, tool, index);
        this.#hub.emit(whenAsked(id, tool, () => chat.changes(changes)));
      },
      delivered: (tool, ids) => {
        const posts = new Chat(workspace, tool, index).describeAll(ids);
        this.#hub.emit({ type: 'chat', workspace: id, tool, posts, removed: [] });
      },
    });
    workspace.restore(log, imaged);
    const readmitting = new Readmitting(this.#hub, workspace);
    const hosted: Hosted = {
      workspace,
      inviting: new Inviting(this.#hub, workspace, readmitting),
      readmitting,
      absence: new Absence(this.#hub, workspace),
      renewing: new Renewing(this.#hub, workspace),
    };
    this.#hosted.set(id, hosted);
    return hosted;
  }

  /** Nothing is sent for it any more; what is on disk stays. */
  letGo(workspace: SharedWorkspace): void {
    this.#hosted.get(workspace.id)?.renewing.stop();
    workspace.close();
    this.#hosted.delete(workspace.id);
  }

  /** A new one, of this person alone, and without tools. Throws StoreError: then it did not happen. */
  async found(name: string, { call, mark }: FoundOptions = {}): Promise<SharedWorkspace> {
    const { genesis, epoch } = makeGenesis(this.#hub, name);
    const id = genesis.id as string as WorkspaceId;
    const { workspace } = this.host(id, EMPTY_LOG);
    workspace.keyring.remember([epoch]);
    if (mark) this.#hub.local.put(mark.key(id), mark.value);
    const record = encodeRecord({ kind: 'delta', workspace: id, bytes: genesis.bytes });
    this.#founding.add(record);
    try {
      await this.#hub.commit([record], call, genesis.id);
    } catch (error) {
      this.#founding.delete(record);
      // Nothing of it may come up with the next start.
      this.letGo(workspace);
      if (mark) this.#hub.local.drop(mark.key(id));
      this.#withdraw([record]);
      throw error;
    }
    workspace.restore({ ...EMPTY_LOG, deltas: [genesis] });
    this.#founding.delete(record);
    return workspace;
  }
}

function makeGenesis(hub: Hub, name: string): { readonly genesis: Delta; readonly epoch: Epoch } {
  const { crypto, clock, identity } = hub;
  const { certificate, signer, device } = identity;
  const epoch = epochOf(crypto, crypto.randomBytes(32));
  const boxes = boxEpoch(crypto, epoch, [{ device, agreementKey: certificate.agreementKey }]);
  const body = controlBody.genesis(name, hub.displayName(), [certificate], boxes, crypto.randomBytes(16));
  const genesis = signDelta(crypto, signer, undefined, {
    generation: 0,
    seq: 1,
    prev: undefined,
    deps: [],
    credential: undefined,
    time: clock.now(),
    tool: undefined,
    kind: 'genesis',
    body,
  });
  return { genesis, epoch };
}

/** What has changed in a chat, which is put together when somebody looks: most chats no window shows, and a catch-up changes thousands of posts. */
function whenAsked(workspace: WorkspaceId, tool: ToolId, changes: () => ReturnType<Chat['changes']>): ServiceEvent {
  let made: ReturnType<typeof changes> | undefined;
  const all = () => (made ??= changes());
  return {
    type: 'chat',
    workspace,
    tool,
    get posts() {
      return all().posts;
    },
    get removed() {
      return all().removed;
    },
  };
}
