/** The calls of the API that are under way. Those that write hold the store open until they have ended. */
import { StoreError } from '../sync/ports.ts';
import { type CallKey, ServiceError, type ServiceEvent } from './api.ts';
import { KeptError } from './commit-queue.ts';
import type { Made, MadeCalls } from './made-calls.ts';
import type { Progress } from './ports.ts';

export class Calls {
  readonly #emit: (event: ServiceEvent) => void;
  readonly #made: MadeCalls;
  readonly #working = new Set<Promise<unknown>>();
  readonly #operations = new Map<string, AbortController>();
  #ended = false;

  constructor(emit: (event: ServiceEvent) => void, made: MadeCalls) {
    this.#emit = emit;
    this.#made = made;
  }

  /** Whether the service takes no more of them: it is closing, or closed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What the adapters throw becomes what the API promises. Throws ServiceError('stopped') once the service closes. */
  async do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw new ServiceError('stopped', {});
    return this.hold(translated(work));
  }

  /** A call that is not done twice (L3): where what it made is durable under its key, `again` answers as it would have. */
  async once<T>(call: CallKey | undefined, work: () => Promise<T>, again: (made: Made) => T | Promise<T>): Promise<T> {
    const made = call === undefined ? undefined : this.#made.find(call);
    return this.do(async () => (made ? again(made) : work()));
  }

  /** The same of one that answers nothing. */
  change(call: CallKey | undefined, work: () => Promise<void>): Promise<void> {
    return this.once(call, work, () => undefined);
  }

  /** Work that nobody has called for, and that the store is to stay open for all the same. */
  hold<T>(working: Promise<T>): Promise<T> {
    this.#working.add(working);
    return working.finally(() => this.#working.delete(working));
  }

  /** One that the person follows, and may cancel by its name. */
  async long<T>(
    operation: string,
    work: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    this.#operations.set(operation, controller);
    try {
      return await this.do(() =>
        work(controller.signal, (progress) => this.#emit({ type: 'import', operation, ...progress })),
      );
    } finally {
      this.#operations.delete(operation);
    }
  }

  cancel(operation: string): void {
    this.#operations.get(operation)?.abort();
  }

  end(): void {
    this.#ended = true;
    for (const operation of this.#operations.values()) operation.abort();
  }

  /** Resolves when all that began before the end is done. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#working);
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw serviceError(error);
  }
}

const BRIDGE_CODES: Readonly<Record<string, ServiceError['code']>> = {
  diskFull: 'diskFull',
  notPermitted: 'notPermitted',
  notFound: 'notFound',
};

function serviceError(error: unknown): unknown {
  if (error instanceof StoreError) {
    const reason = error instanceof KeptError ? 'kept' : error.code;
    return new ServiceError(error.code === 'diskFull' ? 'diskFull' : 'storeFailed', { reason });
  }
  if (error instanceof Error && error.name === 'BridgeError') {
    const code = (error as Error & { readonly code?: string }).code ?? '';
    // Of the folder on this machine, not of the workspace or its store.
    return new ServiceError(BRIDGE_CODES[code] ?? 'internal', { reason: 'folder' });
  }
  return error;
}
