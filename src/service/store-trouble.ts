/** What goes wrong where nobody waits for it: said to the person where the disk is at fault, to us where we are. */
import { isRecent } from '../base/recent.ts';
import { MAX_UNSAVED_MESSAGES } from '../protocol/limits.ts';
import { StoreError, type Path } from '../sync/ports.ts';
import { ServiceError } from './api.ts';
import type { Hub } from './hub.ts';

/** Each chunk that comes in fails on a full disk: one word for all of them. */
const TOLD_AGAIN_MS = 60_000;

export class StoreTrouble {
  readonly #hub: Pick<Hub, 'clock' | 'emit'>;
  readonly #onFault: ((error: unknown) => void) | undefined;
  /** To be called once what was taken in is on disk: a relay may forget it only then (R1). What it says is with those who took it in. */
  #unsaved: (() => void)[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(hub: Pick<Hub, 'clock' | 'emit'>, onFault: ((error: unknown) => void) | undefined) {
    this.#hub = hub;
    this.#onFault = onFault;
  }

  /** An error that nobody waits for: told, never thrown. */
  fault(error: unknown): void {
    if (error instanceof ServiceError) return;
    if (!(error instanceof StoreError)) return this.#onFault?.(error);
    if (isRecent(this.#toldAt, TOLD_AGAIN_MS, this.#hub.clock.now())) return;
    this.failed(error);
  }

  failed(error: unknown): void {
    this.#toldAt = this.#hub.clock.now();
    const reason = error instanceof StoreError ? error.code : 'io';
    this.#hub.emit({ type: 'notice', code: reason === 'diskFull' ? 'diskFull' : 'storeFailed', detail: { reason } });
  }

  /** Who sent it directly waits for no word of this; and of what there is no room for a relay hears nothing, and gives it again. */
  hold({ path, handled }: { readonly path: Path; readonly handled: () => void }): void {
    if (path === 'relay' && this.#unsaved.length < MAX_UNSAVED_MESSAGES) this.#unsaved.push(handled);
  }

  /** All of it is on disk now. */
  release(): void {
    for (const handled of this.#unsaved.splice(0)) handled();
  }
}
