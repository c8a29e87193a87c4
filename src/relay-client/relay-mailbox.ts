/**
 * This device's queue at its own relay (R1, R4): register, confirm, subscribe; then deliveries in, acknowledgements out.
 *
 * | the relay says | what follows |
 * | --- | --- |
 * | register ok | confirm and subscribe in one breath; `connected` when both are answered |
 * | register refused | `failed refused`, asked again after REFUSED_RETRY_MS |
 * | too fast, unavailable, anything else | asked again after BUSY_RETRY_MS |
 * | replaced | `failed refused`, subscribed again after REPLACED_RETRY_MS: two copies of a device must not take turns |
 * | deliver | `arrived`; acknowledged once handled, grouped over ACK_DELAY_MS |
 * | marker | `gap`; acknowledged with what stands before it |
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import { DisposableStore, type Disposable } from '../base/disposable.ts';
import type { DeviceId } from '../base/ids.ts';
import { Code, type RelayRequest } from '../protocol/relay-messages.ts';
import { Lane, type Clock, type RelayState } from '../sync/ports.ts';
import { AckWindow } from './ack-window.ts';
import type { RelayConnection } from './relay-connection.ts';

const REFUSED_RETRY_MS = 300_000;
const REPLACED_RETRY_MS = 300_000;
const BUSY_RETRY_MS = 5_000;
/** An acknowledgement costs the relay a commit: those of a moment share one. */
const ACK_DELAY_MS = 20;

export interface MailboxEvents {
  arrived(from: DeviceId, bytes: Uint8Array, handled: () => void): void;
  gap(): void;
  state(state: RelayState): void;
}

export class RelayMailbox implements Disposable {
  readonly #connection: RelayConnection;
  readonly #token: string;
  readonly #clock: Clock;
  readonly #events: MailboxEvents;
  readonly #subscriptions = new DisposableStore();
  #capabilities: readonly Uint8Array[];
  /** What the relay has confirmed on this connection; undefined while it has not. */
  #confirmed: readonly Uint8Array[] | undefined;
  #confirming = false;
  #subscribed = false;
  #window = new AckWindow();
  #acked = 0;
  #disposed = false;
  #ackScheduled = false;
  /** Why nothing is asked of the relay for a while, and until when: it outlives the connection. */
  #rest: { readonly until_ms: number; readonly detail: string } | undefined;
  /** Goes up with every connection: an answer of an older one means nothing. */
  #session = 0;
  readonly #retries = new Set<() => void>();
  #cancelAck: () => void = () => {};

  constructor(
    connection: RelayConnection,
    token: string,
    capabilities: readonly Uint8Array[],
    clock: Clock,
    events: MailboxEvents,
  ) {
    this.#connection = connection;
    this.#token = token;
    this.#capabilities = capabilities;
    this.#clock = clock;
    this.#events = events;
  }

  start(): void {
    this.#events.state({ state: 'connecting' });
    this.#subscriptions.add(this.#connection.onReady(() => this.#enter()));
    this.#subscriptions.add(
      this.#connection.onDown((failure) => {
        this.#leave();
        this.#events.state(failure ? { state: 'failed', ...failure } : { state: 'connecting' });
      }),
    );
    this.#subscriptions.add(
      this.#connection.onNotice((notice) => {
        if (notice.type === 'deliver') this.#deliver(notice.position, notice.sender, notice.body);
        else if (notice.type === 'marker') this.#mark(notice.position);
        else this.#replaced();
      }),
    );
    this.#connection.hold(true);
    if (this.#connection.isReady) this.#enter();
  }

  setCapabilities(hashes: readonly Uint8Array[]): void {
    this.#capabilities = hashes;
    if (this.#confirmed) void this.#confirm(this.#session);
  }

  dispose(): void {
    this.#disposed = true;
    this.#subscriptions.dispose();
    this.#leave();
    this.#connection.hold(false);
    // A relay knows no other way to be told that nobody listens any more.
    this.#connection.hangUp();
  }

  #leave(): void {
    this.#session++;
    for (const cancel of this.#retries) cancel();
    this.#retries.clear();
    this.#cancelAck();
    this.#confirmed = undefined;
    this.#confirming = false;
    this.#subscribed = false;
    this.#ackScheduled = false;
  }

  #enter(): void {
    this.#leave();
    this.#window = new AckWindow();
    this.#acked = 0;
    if (this.#rest && this.#rest.until_ms > this.#clock.now()) return this.#resume();
    void this.#register(this.#session);
  }

  /** Says why it rests, and registers again when it has. */
  #resume(): void {
    if (!this.#rest) return;
    this.#fail('refused', this.#rest.detail);
    const session = this.#session;
    this.#again(session, this.#rest.until_ms - this.#clock.now(), () => this.#register(session));
  }

  async #register(session: number): Promise<void> {
    const code = await this.#ask({ type: 'register', token: this.#token });
    if (session !== this.#session || code === 'down') return;
    if (code === Code.ok) {
      const confirmed = this.#confirm(session);
      await this.#subscribe(session);
      await confirmed;
      return;
    }
    if (code === Code.refused || code === Code.notRegistered) {
      return this.#restFor(REFUSED_RETRY_MS, 'the relay does not take this device: its token is wrong or used up');
    }
    this.#fail('unreachable', 'the relay is busy');
    this.#again(session, BUSY_RETRY_MS, () => this.#register(session));
  }

  async #confirm(session: number): Promise<void> {
    if (this.#confirming) return;
    this.#confirming = true;
    while (session === this.#session && !sameHashes(this.#confirmed, this.#capabilities)) {
      const hashes = this.#capabilities;
      const code = await this.#ask({ type: 'confirm', hashes });
      if (session !== this.#session || code === 'down') return;
      if (code !== Code.ok) {
        this.#confirming = false;
        return this.#again(session, BUSY_RETRY_MS, () => this.#confirm(session));
      }
      this.#confirmed = hashes;
    }
    if (session !== this.#session) return;
    this.#confirming = false;
    this.#tellConnected();
  }

  async #subscribe(session: number): Promise<void> {
    const code = await this.#ask({ type: 'subscribe' });
    if (session !== this.#session || code === 'down') return;
    if (code !== Code.ok) return this.#again(session, BUSY_RETRY_MS, () => this.#subscribe(session));
    this.#subscribed = true;
    this.#tellConnected();
  }

  #tellConnected(): void {
    if (!this.#subscribed || !this.#confirmed) return;
    this.#rest = undefined;
    this.#events.state({ state: 'connected' });
  }

  #replaced(): void {
    // Whoever is not subscribed is replaced by nobody: each time would be one more that asks when the rest is over.
    if (!this.#subscribed) return;
    this.#subscribed = false;
    this.#restFor(REPLACED_RETRY_MS, 'another copy of this device has connected to the relay');
  }

  #restFor(duration_ms: number, detail: string): void {
    this.#rest = { until_ms: this.#clock.now() + duration_ms, detail };
    this.#resume();
  }

  #deliver(position: number, sender: Uint8Array, body: Uint8Array): void {
    const from = toHex(sender) as DeviceId;
    const window = this.#window;
    if (position === 0 || !window.deliver(position)) return this.#events.arrived(from, body, () => {});
    this.#events.arrived(from, body, () => {
      window.handle(position);
      if (window === this.#window) this.#scheduleAck();
    });
  }

  #mark(position: number): void {
    const counts = position > 0 && this.#window.deliver(position);
    this.#events.gap();
    if (!counts) return;
    this.#window.handle(position);
    this.#scheduleAck();
  }

  #scheduleAck(): void {
    // What was handed out may be handled when nobody listens any more: the relay gives it again.
    if (this.#disposed || this.#ackScheduled || this.#window.through <= this.#acked) return;
    this.#ackScheduled = true;
    this.#cancelAck = this.#clock.wakeAt(this.#clock.now() + ACK_DELAY_MS, () => void this.#ack(this.#session));
  }

  async #ack(session: number): Promise<void> {
    const position = this.#window.through;
    const code = await this.#ask({ type: 'ack', position });
    if (session !== this.#session) return;
    if (code === Code.ok) this.#acked = position;
    this.#ackScheduled = false;
    // One that was not taken goes again with the next: acknowledgements are cumulative.
    if (code === Code.ok) this.#scheduleAck();
    else this.#again(session, BUSY_RETRY_MS, async () => this.#scheduleAck());
  }

  async #ask(request: RelayRequest): Promise<Code | 'down'> {
    const reply = await this.#connection.request(request, Lane.control);
    return reply.type === 'answer' ? reply.code : 'down';
  }

  #again(session: number, after_ms: number, act: () => Promise<void>): void {
    const cancel = this.#clock.wakeAt(this.#clock.now() + after_ms, () => {
      this.#retries.delete(cancel);
      if (session === this.#session) void act();
    });
    this.#retries.add(cancel);
  }

  #fail(reason: 'refused' | 'unreachable', detail: string): void {
    this.#events.state({ state: 'failed', reason, detail });
  }
}

function sameHashes(a: readonly Uint8Array[] | undefined, b: readonly Uint8Array[]): boolean {
  return a !== undefined && a.length === b.length && a.every((hash, i) => equalBytes(hash, b[i]!));
}
