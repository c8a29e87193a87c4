/**
 * A copy that begins with a base (L6): the first, or a fresh one that is asked for. What comes of it is shown, and what it lacks of this person's own
 * is kept, before it is on disk; of whom it is asked, and that nobody has vouched for it yet, is remembered.
 *
 * In local state: `renewal/<workspace>/from` = device id; `unconfirmed/<workspace>` = root.
 */
import { toHex } from '../base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { KEY_BYTES } from '../crypto/crypto.ts';
import { asBytes } from '../protocol/codec.ts';
import { idBytes } from '../sync/delta.ts';
import type { Epoch } from '../sync/epoch.ts';
import type { Renewal } from '../sync/givers.ts';
import type { Outgoing } from '../sync/outgoing.ts';
import type { Replica } from '../sync/replica.ts';
import { forgetHeld } from './absence.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import type { ShownRows } from './shown-rows.ts';
import type { Tidings } from './tidings.ts';

export interface FreshCopyOptions {
  readonly hub: Hub;
  readonly workspace: SharedWorkspace;
  readonly tidings: Tidings;
  readonly shown: ShownRows;
  dispatch(out: readonly Outgoing[]): void;
}

export class FreshCopy {
  readonly #options: FreshCopyOptions;
  readonly #hub: Hub;
  readonly #workspace: SharedWorkspace;

  constructor(options: FreshCopyOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#workspace = options.workspace;
  }

  /** The root of a base that nobody has vouched for yet. */
  get unconfirmed(): Uint8Array | undefined {
    const root = this.#hub.local.get(unconfirmedKey(this.#workspace.id));
    return root instanceof Uint8Array ? root : undefined;
  }

  /** Somebody may have vouched for it since. */
  settle(): void {
    if (this.#workspace.replica.isConfirmed) this.#hub.local.drop(unconfirmedKey(this.#workspace.id));
  }

  /** What was asked for before a restart is asked for again. */
  resume(): void {
    const from = asBytes(this.#hub.local.get(renewalKey(this.#workspace.id)), KEY_BYTES);
    if (!from) return;
    // The base may have come, and the word of the feed that goes with it not: a torn append keeps the beginning.
    this.#hub.onlyCopy.beginFeed(this.#workspace, true);
    this.#ask(toHex(from) as DeviceId);
  }

  /** The copy begins with a base: what was shown before and is not in it goes. */
  begun(before: Replica, opened: readonly Epoch[], renewal: Renewal | undefined): void {
    this.#workspace.leftBehind.begun(before, this.#workspace.replica, this.#hub.identity);
    // Before the copy itself: what a crash leaves of it has what is left behind in any case.
    void this.#hub.commit([]).catch(() => undefined); // told by the queue
    const { unconfirmed } = this.#workspace.replica.base;
    if (unconfirmed) this.#hub.local.put(unconfirmedKey(this.#workspace.id), unconfirmed);
    else this.#hub.local.drop(unconfirmedKey(this.#workspace.id));
    this.#workspace.keyring.remember(opened);
    this.#hub.changed();
    this.#hub.onlyCopy.begunWith(this.#workspace);
    this.#workspace.unread.begunAnew(this.#workspace.replica.arrivals);
    forgetHeld(this.#hub.local, this.#workspace.id);
    const gone = [...before.fold.rows()].filter(
      ({ tool, table, key }) => !this.#workspace.replica.fold.row(tool, table, key),
    );
    this.#options.shown.changed([
      ...gone.map((change) => ({ ...change, row: undefined })),
      ...this.#workspace.replica.fold.takeChanges(),
    ]);
    if (renewal) this.#renewed(renewal);
  }

  /** L6: asks a device for its base, to begin anew with it; no device: no more. That it is asked goes to disk with the next commit. */
  askOf(from: DeviceId | undefined): void {
    if (from === undefined) this.#hub.local.drop(renewalKey(this.#workspace.id));
    else this.#hub.local.put(renewalKey(this.#workspace.id), idBytes(from));
    this.#ask(from);
  }

  #ask(from: DeviceId | undefined): void {
    const generation = this.#hub.onlyCopy.feedAfter(this.#workspace);
    this.#options.dispatch(this.#workspace.engine.renewFrom(from === undefined ? undefined : { from, generation }));
    this.#hub.emit({ type: 'workspaces' });
  }

  /** What it was asked for is here: with its last part it goes to disk that another feed is written from now on (D2). */
  #renewed({ from, generation }: Renewal): void {
    this.#hub.onlyCopy.renewed(this.#workspace, generation);
    this.#hub.local.drop(renewalKey(this.#workspace.id));
    this.#options.tidings.over('outOfStep');
    this.#options.tidings.tell('renewed', `renewed/${generation}`, this.#workspace.replica.people.accountOf(from));
  }
}

/** Whom it is asked of for a fresh copy. */
function renewalKey(workspace: WorkspaceId): string {
  return `renewal/${workspace}/from`;
}

/** The root of a base that nobody has vouched for yet (L6). */
function unconfirmedKey(workspace: WorkspaceId): string {
  return `unconfirmed/${workspace}`;
}
