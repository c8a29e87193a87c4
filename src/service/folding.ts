/** What all have acknowledged is folded, and leaves the log (L4): what of it is only this person's business is kept beside it, and old keys go (K4). */
import type { FreshCopy } from './fresh-copy.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import type { UnreadItems } from './unread-items.ts';

type FoldedWorkspace = Pick<SharedWorkspace, 'device' | 'engine' | 'keptVoid' | 'keyring'>;

export class Folding {
  readonly #hub: Pick<Hub, 'changed' | 'clock' | 'erased' | 'forgotten'>;
  readonly #workspace: FoldedWorkspace;
  readonly #unread: UnreadItems;
  readonly #freshCopy: FreshCopy;

  constructor(
    hub: Pick<Hub, 'changed' | 'clock' | 'erased' | 'forgotten'>,
    workspace: FoldedWorkspace,
    unread: UnreadItems,
    freshCopy: FreshCopy,
  ) {
    this.#hub = hub;
    this.#workspace = workspace;
    this.#unread = unread;
    this.#freshCopy = freshCopy;
  }

  /** When it is due: often nothing is. */
  fold(): void {
    const { engine, device, keptVoid, keyring } = this.#workspace;
    const advance = engine.advance(this.#hub.clock.now());
    if (!advance) return;
    this.#freshCopy.settle();
    for (const { node, verdict } of advance.folded) {
      const { delta } = node;
      this.#unread.keep(node);
      if (delta.device === device && verdict !== 'applied') keptVoid.keep(delta, verdict);
    }
    if (advance.forgotten > 0) this.#hub.forgotten();
    if (advance.erased.length === 0) return;
    keyring.rememberGenerations(advance.erased);
    this.#hub.changed();
    this.#hub.erased();
  }
}
