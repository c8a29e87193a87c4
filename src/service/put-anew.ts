/**
 * What has become of the pieces that were kept of a workspace and are written into it anew (L7): each word goes to disk in one append with
 * the delta that it is about, so that after a crash nothing is written twice, and what was made upon a piece is made upon what that has become.
 *
 * Kept in local state: `anew/<workspace>/<number of the piece>` = [its id, id of what it has become or empty, spot or null], spot =
 * [item, parent or empty, name]: where a move has put an item.
 */
import type { DeltaId, WorkspaceId } from '../base/ids.ts';
import { asArray, asText, type Value } from '../protocol/codec.ts';
import type { FolderId } from '../tools/files/deltas.ts';
import type { LocalState } from './local-state.ts';

/** Where an item stands. */
export interface Spot {
  readonly parent: FolderId;
  readonly name: string;
}

/** What writing a piece has made. */
export interface Became {
  /** Undefined where there was nothing to be done any more. */
  readonly id: DeltaId | undefined;
  /** Of a move: of which item, and where that stands now. */
  readonly moved: (Spot & { readonly item: DeltaId }) | undefined;
}

const MAX_ID = 64;
const MAX_NAME = 1_024;

export class PutAnew {
  readonly #local: LocalState;
  readonly #prefix: string;
  readonly #pieces = new Set<number>();
  readonly #ids = new Map<DeltaId, DeltaId>();
  readonly #spots = new Map<DeltaId, Spot>();

  constructor(local: LocalState, workspace: WorkspaceId) {
    this.#local = local;
    this.#prefix = `anew/${workspace}/`;
    for (const [number, value] of local.under(this.#prefix)) this.#restore(Number(number), value);
  }

  /** Whether a piece is seen to. */
  has(piece: number): boolean {
    return this.#pieces.has(piece);
  }

  /** What it is now: what was not kept, or not written yet, is what it was. */
  idOf(id: DeltaId): DeltaId {
    let at = id;
    // Who was dropped twice may have had it written anew twice.
    for (let next = this.#ids.get(at); next !== undefined; next = this.#ids.get(at)) at = next;
    return at;
  }

  isNew(id: DeltaId): boolean {
    return this.#ids.has(id);
  }

  /** Where what was done anew has put an item. */
  spotOf(item: DeltaId): Spot | undefined {
    return this.#spots.get(item);
  }

  /** Goes to disk with the next commit, which is to be that of what it has become. */
  note(piece: number, was: DeltaId, became: Became): void {
    this.#know(piece, was, became);
    const { id, moved } = became;
    const spot: Value = moved ? [moved.item, moved.parent ?? '', moved.name] : null;
    this.#local.put(this.#prefix + piece, [was, id ?? '', spot]);
  }

  forget(): void {
    for (const number of this.#pieces) this.#local.drop(this.#prefix + number);
    this.#pieces.clear();
    this.#ids.clear();
    this.#spots.clear();
  }

  #know(piece: number, was: DeltaId, { id, moved }: Became): void {
    this.#pieces.add(piece);
    if (id !== undefined) this.#ids.set(was, id);
    if (moved) this.#spots.set(moved.item, { parent: moved.parent, name: moved.name });
  }

  #restore(piece: number, value: Value): void {
    const f = asArray(value, 3);
    const [was, id] = [asText(f?.[0], MAX_ID), asText(f?.[1], MAX_ID)];
    if (!f || was === undefined || id === undefined) return;
    const moved = f[2] === null ? undefined : movedFromValue(f[2]!);
    this.#know(piece, was as DeltaId, { id: id === '' ? undefined : (id as DeltaId), moved });
  }
}

function movedFromValue(value: Value): Became['moved'] {
  const f = asArray(value, 3);
  const [item, parent, name] = [asText(f?.[0], MAX_ID), asText(f?.[1], MAX_ID), asText(f?.[2], MAX_NAME)];
  if (item === undefined || parent === undefined || name === undefined) return undefined;
  return { item: item as DeltaId, parent: parent === '' ? undefined : (parent as DeltaId), name };
}
