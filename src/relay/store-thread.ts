/**
 * The store in a thread of its own (R6), so that an fsync holds up neither the sockets nor the handshakes.
 *
 * | message | content |
 * | --- | --- |
 * | to the thread | a batch of calls, or `checkpoint`, or `close` |
 * | back | `ready`, then for each batch its answers, or an error that ends it all |
 *
 * One batch is under way at a time; what is asked meanwhile is the next one (group commit). Acks alone do not start a batch
 * at once: they wait a moment to share one, since losing an ack only means a second delivery.
 *
 * In the built program this file and main.ts are one: the thread is then the same file, and `workerData` says which part to play.
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import type { QueueLimits } from './limits.ts';
import { SqliteStore, type Outcome, type StoreCall } from './sqlite-store.ts';
import { RelayStoreError, type RelayStore, type Submission } from './store.ts';

/** How long an ack waits for company. */
const ACK_DELAY_MS = 15;
/** After so long without a call the log is moved into the database, which overwrites what was acknowledged (R5). */
const CHECKPOINT_IDLE_MS = 500;
/** A batch takes no more bodies than this, or one: it is one transaction, and so in the log whole before any of that can be moved. */
const BATCH_BYTES = 16 * 1024 * 1024;

/** node:sqlite says once per thread that it is new. */
const QUIET = ['--disable-warning=ExperimentalWarning'];

interface ThreadData {
  readonly role: 'coterie relay store';
  readonly folder: string;
  readonly limits: QueueLimits;
}

type ToThread =
  { readonly type: 'batch'; readonly calls: readonly StoreCall[] } | { readonly type: 'checkpoint' | 'close' };

type FromThread =
  | { readonly type: 'ready' | 'done' | 'closed' }
  | { readonly type: 'answers'; readonly answers: readonly Outcome[]; readonly hasLongLog: boolean }
  | { readonly type: 'error'; readonly code: RelayStoreError['code']; readonly message: string };

interface Waiting {
  readonly call: StoreCall;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: RelayStoreError) => void;
}

export interface ThreadedStore extends RelayStore {
  /** Resolves when the store can do no more (R7): nobody can say what is durable. Never after `close`. */
  readonly failed: Promise<RelayStoreError>;
}

/** Throws RelayStoreError. */
export async function openThreadedStore(folder: string, limits: QueueLimits): Promise<ThreadedStore> {
  const data: ThreadData = { role: 'coterie relay store', folder, limits };
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: data, execArgv: QUIET });
  const first = await new Promise<FromThread>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  if (first.type !== 'error') return new Threaded(thread);
  await thread.terminate();
  throw new RelayStoreError(first.code, first.message);
}

class Threaded implements ThreadedStore {
  readonly failed: Promise<RelayStoreError>;
  readonly #thread: Worker;
  #fail: (error: RelayStoreError) => void = () => {};
  #error: RelayStoreError | undefined;
  #next: Waiting[] = [];
  #underWay: readonly Waiting[] | undefined;
  #flushing = false;
  #lazy: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closing: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(thread: Worker) {
    this.#thread = thread;
    this.failed = new Promise((resolve) => (this.#fail = resolve));
    thread.on('message', (message: FromThread) => this.#received(message));
    thread.on('error', (error: Error) => this.#stop(new RelayStoreError('io', error.message, { cause: error })));
    thread.on('exit', () => this.#stop(new RelayStoreError('io', 'the store has ended')));
  }

  readonly registration: RelayStore['registration'] = (...values) => this.#call({ name: 'registration', values });
  readonly register: RelayStore['register'] = (...values) => this.#call({ name: 'register', values });
  readonly confirm: RelayStore['confirm'] = (...values) => this.#call({ name: 'confirm', values });
  readonly capabilities: RelayStore['capabilities'] = (...values) => this.#call({ name: 'capabilities', values });
  readonly submit: RelayStore['submit'] = (submission, now) =>
    this.#call({ name: 'submit', values: [compact(submission), now] });
  readonly page: RelayStore['page'] = (...values) => this.#call({ name: 'page', values });
  readonly ack: RelayStore['ack'] = (...values) => this.#call({ name: 'ack', values });
  readonly expireMessages: RelayStore['expireMessages'] = (...values) => this.#call({ name: 'expireMessages', values });
  readonly openParcel: RelayStore['openParcel'] = (...values) => this.#call({ name: 'openParcel', values });
  readonly advanceParcel: RelayStore['advanceParcel'] = (...values) => this.#call({ name: 'advanceParcel', values });
  readonly parcel: RelayStore['parcel'] = (...values) => this.#call({ name: 'parcel', values });
  readonly keepParcel: RelayStore['keepParcel'] = (...values) => this.#call({ name: 'keepParcel', values });
  readonly expireParcels: RelayStore['expireParcels'] = (...values) => this.#call({ name: 'expireParcels', values });
  readonly parcelIds: RelayStore['parcelIds'] = (...values) => this.#call({ name: 'parcelIds', values });

  close(): Promise<void> {
    if (!this.#closing) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => (resolve = done));
      this.#closing = { promise, resolve };
      clearTimeout(this.#lazy);
      clearTimeout(this.#idle);
      if (this.#error) resolve();
      else this.#flush();
    }
    return this.#closing.promise;
  }

  #call<Answer>(call: StoreCall): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#error || this.#closing)
        return reject(this.#error ?? new RelayStoreError('closed', 'the store is closed'));
      this.#next.push({ call, resolve, reject });
      if (call.name === 'ack') this.#patiently();
      else this.#soon();
    });
  }

  /** What else arrives in this turn of the event loop comes along. */
  #soon(): void {
    if (this.#flushing || this.#underWay) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** What has waited long enough while a batch was under way waits anew after it. */
  #patiently(): void {
    this.#lazy ??= setTimeout(() => {
      this.#lazy = undefined;
      this.#flush();
    }, ACK_DELAY_MS);
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#underWay || this.#error) return;
    clearTimeout(this.#lazy);
    this.#lazy = undefined;
    if (this.#next.length > 0) {
      const batch = this.#next.splice(0, sharing(this.#next));
      this.#send({ type: 'batch', calls: batch.map((waiting) => waiting.call) }, batch);
    } else if (this.#closing) this.#send({ type: 'close' }, []);
  }

  #send(message: ToThread, waiting: readonly Waiting[]): void {
    this.#underWay = waiting;
    clearTimeout(this.#idle);
    this.#thread.postMessage(message);
  }

  #received(message: FromThread): void {
    const underWay = this.#underWay;
    assert(underWay, 'an answer to something asked');
    if (message.type === 'error') return this.#stop(new RelayStoreError(message.code, message.message));
    this.#underWay = undefined;
    switch (message.type) {
      case 'answers':
        underWay.forEach((waiting, i) => {
          const outcome = message.answers[i]!;
          if (outcome.ok) waiting.resolve(outcome.value as never);
          else waiting.reject(new RelayStoreError(outcome.error.code, outcome.error.message));
        });
        break;
      case 'closed':
        this.#error = new RelayStoreError('closed', 'the store is closed');
        void this.#thread.terminate().then(() => this.#closing?.resolve());
        return;
      case 'ready':
      case 'done':
        break;
    }
    if (message.type === 'answers' && message.hasLongLog) this.#send({ type: 'checkpoint' }, []);
    else if (this.#next.some((waiting) => waiting.call.name !== 'ack') || this.#closing) this.#flush();
    else if (this.#next.length > 0) this.#patiently();
    else if (message.type === 'answers') {
      this.#idle = setTimeout(() => {
        if (!this.#underWay) this.#send({ type: 'checkpoint' }, []);
      }, CHECKPOINT_IDLE_MS).unref();
    }
  }

  #stop(error: RelayStoreError): void {
    if (this.#error) return;
    this.#error = error;
    clearTimeout(this.#lazy);
    clearTimeout(this.#idle);
    for (const waiting of [...(this.#underWay ?? []), ...this.#next]) waiting.reject(error);
    this.#underWay = undefined;
    this.#next = [];
    this.#fail(error);
    this.#closing?.resolve();
    void this.#thread.terminate();
  }
}

/** How many of them, from the first on, share a batch. */
function sharing(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const over = waiting.findIndex(({ call }) => {
    bytes += call.name === 'submit' ? call.values[0].body.length : 0;
    return bytes > BATCH_BYTES;
  });
  return over < 0 ? waiting.length : Math.max(1, over);
}

/** A view goes to the thread with the whole buffer behind it, which may be much of what else came over the network. */
function compact({ sender, messageId, recipients, body }: Submission): Submission {
  const tight = (bytes: Uint8Array) => (bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes));
  return {
    sender: tight(sender),
    messageId: tight(messageId),
    recipients: recipients.map(({ device, hash }) => ({ device: tight(device), hash: tight(hash) })),
    body: tight(body),
  };
}

// ---- the thread's side --------------------------------------------------------------------------------------------

function serve({ folder, limits }: ThreadData, port: NonNullable<typeof parentPort>): void {
  const answer = (message: FromThread) => port.postMessage(message);
  const guarded = (work: () => FromThread) => {
    try {
      answer(work());
    } catch (error) {
      const { code, message } = error instanceof RelayStoreError ? error : new RelayStoreError('io', String(error));
      answer({ type: 'error', code, message });
    }
  };
  guarded(() => {
    const store = new SqliteStore(folder, limits);
    port.on('message', (message: ToThread) =>
      guarded(() => {
        switch (message.type) {
          case 'batch':
            return { type: 'answers', answers: store.commit(message.calls), hasLongLog: store.hasLongLog };
          case 'checkpoint':
            store.checkpoint();
            return { type: 'done' };
          case 'close':
            store.close();
            return { type: 'closed' };
        }
      }),
    );
    return { type: 'ready' };
  });
}

const data = workerData as ThreadData | null | undefined;
if (!isMainThread && parentPort && data?.role === 'coterie relay store') serve(data, parentPort);
