/**
 * The copy of a workspace that is on this device (`replica.ts`), the feed that is written in it (D2), and the base that takes its place when all
 * of its parts are here (L6, `incoming-bases.ts`).
 */
import { equalBytes } from '../base/bytes.ts';
import type { DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { BasePart, BaseReader } from './base.ts';
import { DeltaReader, feedOf } from './delta.ts';
import { IncomingBases } from './incoming-bases.ts';
import type { Reducer } from './reducer.ts';
import { Replica } from './replica.ts';

export interface CopyOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reducers: readonly Reducer[];
  readonly identity: { readonly device: DeviceId };
  /** Which of this device's feeds it writes (D2). */
  readonly generation: number;
  readonly reader?: DeltaReader;
}

export class Copy {
  readonly incoming: IncomingBases;
  readonly #newReplica: (generation: number) => Replica;
  readonly #self: DeviceId;
  #generation: number;
  #replica: Replica;
  /** Root of the base that it has begun with, since the start. */
  #begunWith: Uint8Array | undefined;

  /** `entrances`: the words by which this device comes in, as long as it waits for one. */
  constructor(options: CopyOptions, entrances: () => readonly DeltaId[]) {
    const { crypto, workspace, reducers, identity, generation, reader: given } = options;
    this.#self = identity.device;
    const reader = given ?? new DeltaReader(crypto, workspace);
    const same = { crypto, workspace, reducers, reader, entrances };
    this.#newReplica = (of) => new Replica({ ...same, own: feedOf(this.#self, of) });
    this.incoming = new IncomingBases(crypto, workspace);
    this.#generation = generation;
    this.#replica = this.#newReplica(generation);
  }

  /** Another one after a base was taken. */
  get replica(): Replica {
    return this.#replica;
  }

  get generation(): number {
    return this.#generation;
  }

  /** D2: from now on another feed is written. */
  beginFeed(generation: number): void {
    this.#generation = generation;
    this.#replica.beginFeed(feedOf(this.#self, generation));
  }

  // ---- the own store ----------------------------------------------------------------------------------------------------

  /**
   * Parts of bases as they were made durable, in order, before any delta: the last whole one is begun with, and what those before it alone
   * hold comes after it, as it did when it took their place. Answers whether there is one. `unconfirmed`: the root of one that nobody had
   * vouched for. `arrivals`: how many deltas had arrived by then.
   */
  restore(parts: readonly BasePart[], unconfirmed: Uint8Array | undefined, arrivals: number): boolean {
    const whole = [...this.incoming.restore(parts)];
    const base = whole.pop()?.read(true);
    if (!base?.ok || !this.#replica.load(base.value, true, arrivals).ok) return false;
    this.#replica.base.unconfirmed = this.#replica.base.isThere ? unconfirmed : undefined;
    for (const before of whole) this.#restoreControls(before);
    return true;
  }

  /** Its control deltas may stand nowhere else on the disk: the journal is written anew without the deltas that a base has taken in (L1). */
  #restoreControls(reader: BaseReader): void {
    const base = reader.read(true);
    if (base.ok) for (const { delta } of base.value.controls) this.#replica.restore(delta.bytes);
  }

  // ---- a base that comes (L6) ---------------------------------------------------------------------------------------------

  /** Whether it has begun with this one: what has come after it since is not put back. */
  hasBegunWith(root: Uint8Array): boolean {
    return this.#begunWith !== undefined && equalBytes(root, this.#begunWith);
  }

  /** Begins with a base of which all parts are here; what was here and is not in it comes after. Answers whether it is one. */
  begin(reader: BaseReader, generation = this.#generation): boolean {
    const base = reader.read();
    this.incoming.end(reader);
    const next = this.#newReplica(generation);
    if (!base.ok || !next.load(base.value, false).ok) return false;
    next.takeOver(this.#replica);
    this.#generation = generation;
    this.#replica = next;
    this.#begunWith = base.value.root;
    return true;
  }
}
