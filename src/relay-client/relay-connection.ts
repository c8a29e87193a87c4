/**
 * A connection to one relay, ours or somebody else's: requests with their answers, notices, and coming back after a loss.
 *
 * | rule | figure |
 * | --- | --- |
 * | ready with the relay's `hello` | HANDSHAKE_TIMEOUT_MS after the handshake |
 * | a request is answered, or bytes still move | REQUEST_SILENCE_MS, else the connection is given up; a quarter of it after the clock leapt |
 * | tries again | 0.5 s doubling to 30 s, jittered; with a wrong key 5 min |
 * | held open | while `hold` says so, a request waits, or for VISIT_MS after the last |
 *
 * It keeps nothing across a loss: every request under way answers `down`, and its maker decides.
 */
import { Emitter } from '../base/event.ts';
import { MAX_MESSAGE_BYTES, HANDSHAKE_TIMEOUT_MS } from '../protocol/limits.ts';
import type { Value } from '../protocol/codec.ts';
import type { RelayAddress } from '../protocol/relay-address.ts';
import {
  type Code,
  decodeNotice,
  encodeRequest,
  type RelayNotice,
  type RelayRequest,
} from '../protocol/relay-messages.ts';
import type { Lane } from '../sync/ports.ts';
import { Backoff } from './backoff.ts';
import { dial } from './dial.ts';
import type { LinkContext, LinkEnd, SecureLink } from './secure-link.ts';

const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 30_000;
/** Another key will not turn into the right one by itself: somebody must repair the relay, or the address. */
const WRONG_KEY_RETRY_MS = 300_000;
const REQUEST_SILENCE_MS = 20_000;
const VISIT_MS = 120_000;
/** A next try that is due within this is waited for; a later one means: not reachable now. */
const PATIENCE_MS = 2_000;
/** A connection that lasted this long was a good one: its end starts the tries anew. */
const STEADY_MS = 10_000;

export interface RelayFailure {
  readonly reason: 'unreachable' | 'wrongKey';
  readonly detail: string;
}

export type Reply =
  | { readonly type: 'answer'; readonly code: Code; readonly value: Value }
  | { readonly type: 'down' }
  | { readonly type: 'tooLarge' };

type Push = Exclude<RelayNotice, { readonly type: 'answer' | 'hello' }>;

export class RelayConnection {
  readonly address: RelayAddress;
  readonly #context: LinkContext;
  readonly #backoff: Backoff;
  #link: SecureLink | undefined;
  #ready = false;
  #readySince_ms = 0;
  #held = false;
  #stopped = false;
  #retry_ms = 0;
  #failure: RelayFailure | undefined;
  #nextId = 1;
  #lastUse_ms: number;
  readonly #waiting: ((ready: boolean) => void)[] = [];
  readonly #pending = new Map<number, (reply: Reply) => void>();
  #pendingSince_ms = 0;
  #cancelRetry: () => void = () => {};
  #cancelHello: () => void = () => {};
  #cancelSilence: () => void = () => {};
  #cancelVisit: () => void = () => {};

  readonly #readies = new Emitter<void>();
  readonly #downs = new Emitter<RelayFailure | undefined>();
  readonly #notices = new Emitter<Push>();
  readonly onReady = this.#readies.event;
  /** The connection was lost, or could not be made. */
  readonly onDown = this.#downs.event;
  readonly onNotice = this.#notices.event;

  constructor(context: LinkContext, address: RelayAddress, random: () => number) {
    this.#context = context;
    this.address = address;
    this.#backoff = new Backoff(FIRST_RETRY_MS, MOST_RETRY_MS, random);
    this.#lastUse_ms = context.clock.now();
  }

  get isReady(): boolean {
    return this.#ready;
  }

  get isHeld(): boolean {
    return this.#held;
  }

  get isIdle(): boolean {
    return !this.#held && this.#pending.size === 0 && this.#waiting.length === 0;
  }

  get lastUse_ms(): number {
    return this.#lastUse_ms;
  }

  /** Keeps it connected for its own sake (our own relay), beginning now. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) this.retryNow();
    else this.#visit();
  }

  /** Says goodbye; whoever still needs it opens it again. */
  hangUp(): void {
    this.#link?.end();
  }

  /** Somebody changed something: the next try need not wait. */
  retryNow(): void {
    if (this.#stopped || this.#link) return;
    this.#backoff.reset();
    this.#connect();
  }

  /** Resolves true once requests can be made; false where the relay cannot be reached at present. */
  open(): Promise<boolean> {
    this.#lastUse_ms = this.#context.clock.now();
    if (this.#ready) return Promise.resolve(true);
    if (this.#stopped) return Promise.resolve(false);
    const wait_ms = this.#retry_ms - this.#context.clock.now();
    if (!this.#link && wait_ms > PATIENCE_MS) return Promise.resolve(false);
    const opened = new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    if (!this.#link) this.#retryAt(this.#retry_ms);
    return opened;
  }

  /** Why the last try failed. */
  get failure(): RelayFailure | undefined {
    return this.#failure;
  }

  /** Writes the request in this tick where the connection is ready. */
  request(request: RelayRequest, lane: Lane): Promise<Reply> {
    const { clock } = this.#context;
    this.#lastUse_ms = clock.now();
    if (!this.#ready || !this.#link) return Promise.resolve({ type: 'down' });
    const id = this.#nextId++;
    const bytes = encodeRequest(id, request);
    if (bytes.length > MAX_MESSAGE_BYTES) return Promise.resolve({ type: 'tooLarge' });
    if (!this.#link.send(lane, bytes)) return Promise.resolve({ type: 'down' });
    return new Promise((resolve) => {
      if (this.#pending.size === 0) {
        this.#pendingSince_ms = clock.now();
        this.#watchSilence();
      }
      this.#pending.set(id, resolve);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#held = false;
    this.#cancelRetry();
    this.#cancelVisit();
    this.#link?.destroy();
    this.#settle(false);
  }

  #connect(): void {
    this.#cancelRetry();
    if (this.#link || this.#stopped) return;
    const { host, port, key } = this.address;
    const bare = host.startsWith('[') ? host.slice(1, -1) : host;
    const link = dial(
      this.#context,
      { host: bare, port },
      'relay',
      { staticKey: key },
      {
        established: () => this.#awaitHello(),
        packet: (_lane, bytes) => this.#onPacket(bytes),
        closed: (end) => this.#onClosed(end),
      },
    );
    if (link) this.#link = link;
    else this.#onClosed({ reason: 'unreachable', detail: 'no socket' });
  }

  #awaitHello(): void {
    const { clock } = this.#context;
    const link = this.#link;
    this.#cancelHello = clock.wakeAt(clock.now() + HANDSHAKE_TIMEOUT_MS, () => link?.end('timeout', 'no hello'));
  }

  #onPacket(bytes: Uint8Array): void {
    const notice = decodeNotice(bytes);
    if (!notice.ok) return this.#link?.end('violation', notice.error.tag);
    if ((notice.value.type === 'hello') === this.#ready) return this.#link?.end('violation', 'one hello, and first');
    if (notice.value.type === 'hello') return this.#onHello();
    if (notice.value.type !== 'answer') return this.#onPush(notice.value);
    const { request, code, value } = notice.value;
    const resolve = this.#pending.get(request);
    if (!resolve) return this.#link?.end('violation', 'an answer to nothing');
    this.#pending.delete(request);
    this.#pendingSince_ms = this.#context.clock.now();
    if (this.#pending.size === 0) {
      this.#cancelSilence();
      this.#visit();
    }
    resolve({ type: 'answer', code, value });
  }

  /** Of a relay that is another's nobody has asked for any: it could send as much as it likes. */
  #onPush(notice: Push): void {
    if (this.#held) this.#notices.fire(notice);
    else this.#link?.end('violation', 'nobody listens');
  }

  #onHello(): void {
    this.#cancelHello();
    this.#ready = true;
    this.#readySince_ms = this.#context.clock.now();
    this.#failure = undefined;
    this.#retry_ms = 0;
    this.#readies.fire();
    this.#settle(true);
    this.#visit();
  }

  #onClosed(end: LinkEnd): void {
    const { clock } = this.#context;
    const wasReady = this.#ready;
    this.#link = undefined;
    this.#ready = false;
    this.#cancelHello();
    this.#cancelSilence();
    const expected = end.reason === 'let go';
    this.#failure = expected
      ? undefined
      : { reason: end.reason === 'wrongKey' ? 'wrongKey' : 'unreachable', detail: end.detail };
    if (wasReady && clock.now() - this.#readySince_ms >= STEADY_MS) this.#backoff.reset();
    const wait_ms = expected ? 0 : end.reason === 'wrongKey' ? WRONG_KEY_RETRY_MS : this.#backoff.next();
    this.#retry_ms = clock.now() + wait_ms;
    // Before the requests answer `down`: whoever asks again must meet the state as it is now.
    if (this.#held && !this.#stopped) this.#retryAt(this.#retry_ms);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const resolve of pending) resolve({ type: 'down' });
    if (!wasReady) this.#settle(false);
    this.#downs.fire(this.#failure);
  }

  #retryAt(at_ms: number): void {
    this.#cancelRetry();
    if (this.#context.clock.now() >= at_ms) this.#connect();
    else this.#cancelRetry = this.#context.clock.wakeAt(at_ms, () => this.#connect());
  }

  #settle(ready: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(ready);
  }

  #watchSilence(): void {
    const { clock } = this.#context;
    this.#cancelSilence();
    const look_ms = clock.now() + REQUEST_SILENCE_MS / 4;
    this.#cancelSilence = clock.wakeAt(look_ms, () => {
      const link = this.#link;
      if (!link || this.#pending.size === 0) return;
      const moved_ms = Math.max(this.#pendingSince_ms, link.queuedBytes > 0 ? link.sent_ms : 0);
      // In what the clock has leapt over nobody could answer: that look says nothing, the next one does.
      const hasLeapt = clock.now() - look_ms >= REQUEST_SILENCE_MS / 4;
      if (!hasLeapt && clock.now() - moved_ms >= REQUEST_SILENCE_MS) link.end('timeout', 'no answer');
      else this.#watchSilence();
    });
  }

  #visit(): void {
    this.#cancelVisit();
    if (this.#held || this.#stopped || !this.#link) return;
    this.#cancelVisit = this.#context.clock.wakeAt(this.#context.clock.now() + VISIT_MS, () => {
      if (this.isIdle) this.#link?.end();
    });
  }
}
