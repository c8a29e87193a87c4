/**
 * The copy of a workspace that is on this device (`replica.ts`), the feed that is written in it (D2), and the base that may take its place when all
 * of its parts are here (L6).
 */
import { equalBytes } from '../base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { BaseReader, type BasePart } from './base.ts';
import { DeltaReader, feedOf } from './delta.ts';
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
  readonly #newReplica: (generation: number) => Replica;
  readonly #newReader: () => BaseReader;
  readonly #self: DeviceId;
  #generation: number;
  #replica: Replica;
  /** A base of which not all parts are here. */
  #reader: BaseReader | undefined;
  /** Root of the base that it has begun with, since the start. */
  #begunWith: Uint8Array | undefined;

  constructor({ crypto, workspace, reducers, identity, generation, reader: given }: CopyOptions) {
    this.#self = identity.device;
    const reader = given ?? new DeltaReader(crypto, workspace);
    this.#newReplica = (of) => new Replica({ crypto, workspace, reducers, own: feedOf(this.#self, of), reader });
    this.#newReader = () => new BaseReader(crypto, workspace);
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
    const whole: BaseReader[] = [];
    for (const part of parts) {
      if (part.part === 0) this.#reader = this.#newReader();
      if (this.#reader?.add(part).ok !== true || !this.#reader.isWhole) continue;
      whole.push(this.#reader);
      this.#reader = undefined;
    }
    const base = whole.pop()?.read();
    if (!base?.ok || !this.#replica.load(base.value, true, arrivals).ok) return false;
    this.#replica.unconfirmed = this.#replica.hasBase ? unconfirmed : undefined;
    for (const before of whole) this.#restoreControls(before);
    return true;
  }

  /** Its control deltas may stand nowhere else on the disk: the journal is written anew without the deltas that a base has taken in (L1). */
  #restoreControls(reader: BaseReader): void {
    const base = reader.read();
    if (base.ok) for (const { delta } of base.value.controls) this.#replica.restore(delta.bytes);
  }

  // ---- a base that comes (L6) ---------------------------------------------------------------------------------------------

  /** Whether it has begun with this one: what has come after it since is not put back. */
  hasBegunWith(root: Uint8Array): boolean {
    return this.#begunWith !== undefined && equalBytes(root, this.#begunWith);
  }

  /** The next part; with that of another base than those before it begins anew. */
  add(part: BasePart): ReturnType<BaseReader['add']> {
    this.#reader ??= this.#newReader();
    const added = this.#reader.add(part);
    if (added.ok || added.error.reason !== 'changed') return added;
    this.#reader = this.#newReader();
    return this.#reader.add(part);
  }

  get nextPart(): number {
    return this.#reader?.next ?? 0;
  }

  /** Of a base that is on its way: how many parts are here, and how many there are. */
  get partsHere(): { readonly here: number; readonly all: number } | undefined {
    const { next, total } = this.#reader ?? {};
    return next === undefined || total === undefined ? undefined : { here: next, all: total };
  }

  /** Begins with the base of which all parts are here; what was here and is not in it comes after. Answers whether it is one. */
  begin(generation = this.#generation): boolean {
    const base = this.#reader?.read();
    this.#reader = undefined;
    const next = this.#newReplica(generation);
    if (!base?.ok || !next.load(base.value, false).ok) return false;
    next.takeOver(this.#replica);
    this.#generation = generation;
    this.#replica = next;
    this.#begunWith = base.value.root;
    return true;
  }
}
