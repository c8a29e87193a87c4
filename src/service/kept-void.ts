/**
 * Own content that was void when it was folded (D9): with it goes from the log what it said, and it is kept beside that.
 *
 * In local state: `void/<workspace>/<id>` = [delta bytes, verdict].
 */
import type { WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asText } from '../protocol/codec.ts';
import { MAX_DELTA_BYTES } from '../protocol/limits.ts';
import { readDelta, type Delta } from '../sync/delta.ts';
import type { Hub } from './hub.ts';

export class KeptVoid {
  readonly #hub: Pick<Hub, 'crypto' | 'local'>;
  readonly #workspace: WorkspaceId;

  constructor(hub: Pick<Hub, 'crypto' | 'local'>, workspace: WorkspaceId) {
    this.#hub = hub;
    this.#workspace = workspace;
  }

  /** Goes to disk with the next commit. */
  keep({ id, bytes }: Delta, verdict: string): void {
    this.#hub.local.put(`void/${this.#workspace}/${id}`, [bytes, verdict]);
  }

  get all(): readonly { readonly delta: Delta; readonly reason: string }[] {
    return [...this.#hub.local.under(`void/${this.#workspace}/`)].flatMap(([, value]) => {
      const [bytes, reason] = [asBytes(asArray(value, 2)?.[0], 1, MAX_DELTA_BYTES), asText(asArray(value, 2)?.[1], 32)];
      const delta = bytes && readDelta(this.#hub.crypto, this.#workspace, bytes);
      if (!delta?.ok || reason === undefined) return [];
      return [{ delta: delta.value, reason }];
    });
  }
}
