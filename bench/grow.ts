/**
 * What one more delta costs when the log has had a thousand, and when it has had a million: taken in from others in batches as they come
 * over a path, applied, and the changed rows taken up, by the engine that the service runs. Ten members write in turns and acknowledge
 * every thousand deltas, and the engine does its own duties, so whatever it may fold away it can. What they write are edits of the same
 * 200 posts: the present state is of the same size whatever the history.
 *
 * Beside it, as raw figures: what serving a peer costs that lacks a thousand deltas of either log, and what a newcomer is served.
 * Signatures stand at the ends of runs only, which is all that anybody checks (D7); so a million deltas can be made in a minute.
 */
import { fromBase64Url } from '../src/base/bytes.ts';
import type { DeltaId, FeedId } from '../src/base/ids.ts';
import { nodeCrypto } from '../src/crypto/node/crypto.ts';
import { BATCH_BYTES } from '../src/protocol/limits.ts';
import type { Delta } from '../src/sync/delta.ts';
import { Engine } from '../src/sync/engine.ts';
import { chatReducer } from '../src/tools/chat/reducer.ts';
import { filesReducer } from '../src/tools/files/reducer.ts';
import type { Benchmark } from './lib/benchmark.ts';
import { percentile, rounded, summary } from './lib/figures.ts';
import { type Entry, History, type Writer } from './lib/history.ts';

const SMALL = 1_000;
const LARGE = 1_000_000;
/** Deltas that are measured at once, and how often. */
const WINDOW = 1_000;
const WINDOWS = 9;
const MEMBERS = 10;
const POSTS_EACH = 20;
const ACK_EVERY = 1_000;
/** Between two acknowledgements of the engine's own (L4). */
const PAUSE_MS = 61_000;
const LACKED = 1_000;

const crypto = nodeCrypto();

export const grow: Benchmark = async (say) => {
  say('warming up ...');
  new Log().growTo(20_000);
  const small: number[] = [];
  let first = new Log();
  for (let n = 0; n < WINDOWS; n++) {
    first = new Log();
    first.growTo(SMALL);
    small.push(first.measure(1)[0]!);
  }
  const served = { at_1k: first.serving() };
  say(`growing to ${LARGE} ...`);
  const log = new Log();
  const steps: { readonly deltas: number; readonly us: number }[] = [];
  for (let size = LARGE / 10; size <= LARGE; size += LARGE / 10) {
    log.growTo(size);
    const us = percentile(log.measure(3), 50);
    steps.push({ deltas: size, us: rounded(us, 1) });
    say(`  at ${size}: ${us.toFixed(1)} µs a delta, ${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
  }
  const large = log.measure(WINDOWS);
  const figures = {
    us_per_delta_1k: rounded(percentile(small, 50), 1),
    us_per_delta_1m: rounded(percentile(large, 50), 1),
  };
  const raw = {
    what: 'taking in one more delta from others, applied and its rows taken up, at a log of a thousand and of a million',
    notes: [
      'time is processor time of the thread: what the engine costs, whoever else is at work',
      `medians of ${WINDOWS} windows of ${WINDOW} deltas; those of the small log each on a log of its own`,
      'served: to a peer that lacks the last thousand (missing), and to one that has nothing (newcomer); state: all rows that there are',
      'held: deltas that the engine still keeps at the end',
    ],
    window_us_per_delta: { at_1k: summary(small), at_1m: summary(large) },
    steps,
    served: { ...served, at_1m: log.serving() },
    held: log.engine.replica.size,
    rss_mb: Math.round(process.memoryUsage.rss() / 1e6),
  };
  return { figures, raw };
};

/** Of this thread: the engine waits for nothing, so on a machine that has nothing else to do it is the time by the clock. */
function spent_us(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return user + system;
}

/** A copy of a workspace in which ten others write. */
class Log {
  readonly engine: Engine;
  readonly #history: History;
  readonly #writers: readonly Writer[];
  readonly #posts = new Map<Writer, DeltaId[]>();
  #size = 0;
  #now = Date.UTC(2026, 1, 1);

  constructor() {
    this.#history = new History(Array.from({ length: MEMBERS + 1 }, (_, i) => `Member ${i + 1}`));
    this.#writers = this.#history.members.slice(0, MEMBERS);
    const reader = this.#history.members[MEMBERS]!;
    const { account, device } = reader.certificate;
    this.engine = new Engine({
      crypto,
      workspace: this.#history.workspace,
      reducers: [chatReducer, filesReducer],
      identity: {
        account,
        device,
        signer: reader.signer,
        agreementSecret: fromBase64Url(reader.secrets.agreementSecret)!,
      },
      generation: 0,
      relayable: () => false,
    });
    for (const { bytes } of this.#history.control) this.engine.restore(bytes);
    this.engine.opened();
  }

  growTo(size: number): void {
    while (this.#size < size) this.#take(this.#made(Math.min(WINDOW, size - this.#size)));
  }

  /** µs a delta, of so many windows. */
  measure(windows: number): readonly number[] {
    return Array.from({ length: windows }, () => {
      const batches = this.#made(WINDOW);
      const start = process.threadCpuUsage();
      this.#take(batches);
      return spent_us(start) / WINDOW;
    });
  }

  /** What others write next, in batches as they come over a path: runs, each proved at its end. */
  #made(count: number): readonly (readonly (readonly Uint8Array[])[])[] {
    const batches: (readonly (readonly Uint8Array[])[])[] = [];
    let runs = new Map<FeedId, Delta[]>();
    let bytes = 0;
    const flush = (): void => {
      batches.push([...runs.values()].map((run) => this.#proved(run)));
      runs = new Map();
      bytes = 0;
    };
    const add = (delta: Delta): void => {
      const run = runs.get(delta.feed);
      if (run) run.push(delta);
      else runs.set(delta.feed, [delta]);
      bytes += delta.bytes.length;
      if (bytes >= BATCH_BYTES) flush();
    };
    const entry = (writer: Writer, n: number) => this.#entry(writer, n);
    const noted = (writer: Writer, delta: Delta) => this.#note(writer, delta);
    for (const delta of this.#history.written(count, this.#writers, entry, noted, true)) add(delta);
    this.#size += count;
    if (this.#size % ACK_EVERY === 0) for (const ack of this.#history.acknowledged(this.#writers)) add(ack);
    if (bytes > 0) flush();
    return batches;
  }

  #entry(writer: Writer, n: number): Entry {
    const posts = this.#posts.get(writer) ?? [];
    const { chat } = this.#history;
    const text = `${n} what one says in passing`;
    if (posts.length < POSTS_EACH) return { tool: chat, kind: 'post', body: [text] };
    return { tool: chat, kind: 'edit', body: [Buffer.from(posts[n % POSTS_EACH]!, 'hex'), text] };
  }

  #note(writer: Writer, delta: Delta): void {
    if (delta.kind === 'post') this.#posts.set(writer, [...(this.#posts.get(writer) ?? []), delta.id]);
  }

  #proved(run: readonly Delta[]): readonly Uint8Array[] {
    const last = run.at(-1)!;
    const writer = this.#writers.find(({ certificate }) => certificate.device === last.device)!;
    return [...run.slice(0, -1).map(({ bytes }) => bytes), writer.signed(this.#history.workspace, last)];
  }

  #take(batches: readonly (readonly (readonly Uint8Array[])[])[]): void {
    const from = this.#writers[0]!.certificate.device;
    for (const runs of batches) {
      const growth = this.engine.ingest(from, 'direct', runs, ++this.#now);
      if (growth.faults.length > 0) throw new Error(`a batch was refused: ${growth.faults[0]!.tag}`);
      this.engine.stored(growth, this.#now);
      this.engine.replica.fold.takeChanges();
    }
    this.#now += PAUSE_MS;
    this.engine.tick(this.#now);
    const duties = this.engine.duties(this.#now);
    if (duties.length === 0) return;
    const growth = this.engine.author(duties, this.#now);
    this.engine.stored(growth, this.#now);
    for (const { delta } of growth.nodes) this.#history.heard(delta.id);
  }

  /** What is served to who lacks the last thousand, and to who has nothing. */
  serving() {
    const rows = [...this.engine.replica.fold.rows()].length;
    return { missing: this.#serve(this.#before(LACKED)), newcomer: this.#serve(new Map()), state: { rows } };
  }

  /** The vector before the last so many. */
  #before(count: number): ReadonlyMap<FeedId, number> {
    const vector = new Map(this.engine.replica.vector());
    const last = [...this.engine.replica.nodes()].slice(-count);
    for (const { delta } of last) vector.set(delta.feed, Math.min(vector.get(delta.feed)!, delta.seq - 1));
    return vector;
  }

  #serve(theirs: ReadonlyMap<FeedId, number>) {
    const held = new Map(theirs);
    let [deltas, bytes] = [0, 0];
    const start = process.threadCpuUsage();
    for (;;) {
      const runs = this.engine.replica.serving.lacking(held, BATCH_BYTES);
      if (runs.length === 0) break;
      for (const run of runs) {
        held.set(run.at(-1)!.delta.feed, run.at(-1)!.delta.seq);
        for (const { delta } of run) {
          deltas++;
          bytes += delta.bytes.length;
        }
      }
    }
    return { deltas, bytes, ms: rounded(spent_us(start) / 1000, 2) };
  }
}
