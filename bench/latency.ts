/**
 * How long a save takes to reach the other member, and what it costs on the wire.
 *
 * A one-line edit of a 20 KB source file: from the call of `write` in Alice's process, which signs it, makes it durable
 * (fsynced) and seals it, until Bob's service in his own process has reported it and can read it. Once over a direct connection,
 * once by a relay in a third process, and beside them the round trip of a bare `ws` echo with as many bytes as the edit's message
 * has, in the same run and in turns, so that what slows the machine slows all three. Stamps are of CLOCK_MONOTONIC, which all
 * processes of a machine share. Stores are on the project's own disk, not on a memory disk.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { out, root } from '../scripts/lib/project.mjs';
import { nodeCrypto } from '../src/crypto/node/crypto.ts';
import type { FromBob, ToBob, Way } from './latency-bob.ts';
import type { Benchmark } from './lib/benchmark.ts';
import { now_ms, percentile, rounded, summary } from './lib/figures.ts';
import { type Member, openMember } from './lib/member.ts';

const FILE_BYTES = 20 * 1024;
const WARM_UP = 60;
const SAMPLES = 300;
/** Long enough that acknowledgements, and the other side's own fsync, are over before the next one starts. */
const PAUSE_MS = 15;
/** A message with a change is longer than this, an acknowledgement or a beat shorter: only the stages depend on it. */
const CHANGE_BYTES = 250;
const LIMIT_MS = 20_000;

interface Sample {
  /** Until Bob can read it. */
  readonly total: number;
  /** Until his service has fired its event. */
  readonly reported: number;
  /** Save until Alice's message is handed to the socket: compared, signed, fsynced, sealed. */
  readonly leaving: number;
  /** Until it is in Bob's process: the sockets, and the relay with its fsync. */
  readonly travelling: number;
  /** Opened, checked, applied, reported. */
  readonly arriving: number;
}

interface Pair {
  readonly way: Way;
  readonly alice: Member;
  readonly workspace: string;
  readonly tool: string;
  readonly samples: Sample[];
  /** What each save has cost, with its acknowledgement: of Alice's sockets. */
  readonly bytes: number[];
  counted: number;
  lines: string[];
}

export const latency: Benchmark = async (say) => {
  await mkdir(out, { recursive: true });
  const folder = await mkdtemp(join(out, 'bench-latency-'));
  const children: ChildProcess[] = [];
  try {
    return await measure(folder, children, say);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(folder: string, children: ChildProcess[], say: (word: string) => void) {
  const relay = await startRelay(join(folder, 'relay'), children);
  const bob = await Bob.start(children);
  const pairs: Pair[] = [];
  for (const way of ['direct', 'relay'] as const) pairs.push(await introduce(folder, way, relay, bob));
  const [direct, byRelay] = pairs as [Pair, Pair];
  const echo = await Echo.connect(bob.echoPort);

  say(`warming up with ${WARM_UP} saves each ...`);
  for (let n = 0; n < WARM_UP; n++) for (const pair of pairs) await save(pair, bob, n);
  await quiet();
  for (const pair of pairs) pair.samples.length = 0;
  // What one direct edit sends in one message is what the echo carries: measured now, before the samples.
  const message = await messageBytes(direct, bob);

  say(`measuring ${SAMPLES} saves each, in turns with the echo (${message} bytes) ...`);
  const before = await counters(pairs, bob);
  for (const pair of pairs) {
    countBytes(pair);
    pair.bytes.length = 0;
  }
  const echoes: number[] = [];
  const echoesOfFile: number[] = [];
  const floors: number[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    // The order turns: nobody always comes after the same neighbour.
    for (const turn of rotated([0, 1, 2], n)) {
      if (turn === 2) {
        echoes.push(await echo.roundTrip(message));
        echoesOfFile.push(await echo.roundTrip(FILE_BYTES));
        floors.push(await fsyncOnce(folder, message));
      } else await save(pairs[turn]!, bob, WARM_UP + n);
    }
  }
  await quiet();
  for (const pair of pairs) {
    countBytes(pair);
    // Counted before each save: the first one is of nothing.
    pair.bytes.shift();
  }
  const after = await counters(pairs, bob);
  await proveSame(pairs, bob);

  const perEdit = (way: Way) => (after[way] - before[way]) / SAMPLES;
  const of = (pair: Pair, key: keyof Sample) => pair.samples.map((sample) => sample[key]);
  const stages = (pair: Pair) => ({
    total_ms: summary(of(pair, 'total')),
    reported_ms: summary(of(pair, 'reported')),
    leaving_ms: summary(of(pair, 'leaving')),
    travelling_ms: summary(of(pair, 'travelling')),
    arriving_ms: summary(of(pair, 'arriving')),
  });
  const figures = {
    direct_p50_ms: rounded(percentile(of(direct, 'total'), 50), 2),
    direct_p99_ms: rounded(percentile(of(direct, 'total'), 99), 2),
    relay_p50_ms: rounded(percentile(of(byRelay, 'total'), 50), 2),
    relay_p99_ms: rounded(percentile(of(byRelay, 'total'), 99), 2),
    echo_p50_ms: rounded(percentile(echoes, 50), 2),
    bytes_per_edit: Math.round(perEdit('direct')),
  };
  const raw = {
    what: 'one-line save of a 20 KB source file until the other process has reported it and can read it',
    notes: [
      'echo: round trip of a bare ws message as long as the edit on the wire; half of it is the one-way comparison',
      'bytes: TCP payload of both directions with WebSocket and channel framing, acknowledgements included, without TCP/IP headers; bytes_per_edit is the mean, in which every 65th save, stored whole, has its share',
      'leaving: compare, sign, fsync, seal; travelling: sockets, and the relay with its fsync; arriving: open, verify, apply, report',
      'Bob reports before his own fsync; he acknowledges after it',
    ],
    warm_up: WARM_UP,
    pause_ms: PAUSE_MS,
    file_bytes: FILE_BYTES,
    message_bytes: message,
    bytes_per_edit_direct: rounded(perEdit('direct'), 1),
    bytes_per_edit_relay_alice: rounded(perEdit('relay'), 1),
    bytes_per_edit_relay_bob: rounded((after.bobRelay - before.bobRelay) / SAMPLES, 1),
    bytes_of_each_edit: { direct: summary(direct.bytes), relay_alice: summary(byRelay.bytes) },
    direct: stages(direct),
    relay: stages(byRelay),
    echo_ms: summary(echoes),
    echo_20k_ms: summary(echoesOfFile),
    append_and_fsync_ms: summary(floors),
    cryptography_us: cryptography(message),
    samples: { direct: series(direct.samples), relay: series(byRelay.samples), echo_ms: inOne(echoes) },
  };
  for (const pair of pairs) {
    const { total_ms, leaving_ms, travelling_ms, arriving_ms } = stages(pair);
    const p50 = [leaving_ms, travelling_ms, arriving_ms].map(({ p50 }) => p50.toFixed(2)).join(' + ');
    say(`${pair.way}: p50 ${total_ms.p50} ms (leaving + travelling + arriving: ${p50}), p99 ${total_ms.p99} ms`);
  }
  const { p50, max } = summary(direct.bytes);
  say(`bytes of a direct edit: half of them at most ${p50}, the largest ${max}`);
  say(`an append and fsync alone: p50 ${summary(floors).p50} ms`);
  return { figures, raw };
}

/** In one line: six hundred lines of figures would hide the rest of the file. */
const inOne = (samples: readonly number[]): string => samples.map((sample) => rounded(sample)).join(' ');

const series = (samples: readonly Sample[]) => ({
  total_ms: inOne(samples.map(({ total }) => total)),
  leaving_ms: inOne(samples.map(({ leaving }) => leaving)),
  travelling_ms: inOne(samples.map(({ travelling }) => travelling)),
  arriving_ms: inOne(samples.map(({ arriving }) => arriving)),
});

// ---- the two and their paths --------------------------------------------------------------------------------------------

async function introduce(folder: string, way: Way, address: string, bob: Bob): Promise<Pair> {
  const relay = way === 'relay' ? address : '';
  const alice = await openMember({ name: 'Alice', folder: join(folder, `alice-${way}`), relay });
  await bob.ask({ type: 'open', way, folder: join(folder, `bob-${way}`), relay });
  const workspace = await alice.api.createWorkspace({ name: 'Latency' });
  const { tools } = (await alice.api.workspaces()).find(({ id }) => id === workspace)!;
  const tool = tools.find(({ kind }) => kind === 'files')!.id;
  if (way === 'relay') await until(alice, async () => (await alice.api.relay()).state === 'connected');
  const { link } = await alice.api.invite(workspace, {
    role: 'participant',
    expiresInMs: 600_000,
    uses: 1,
    confirm: false,
    scheme: 'vscode',
  });
  const lines = await sourceLines();
  await alice.api.write(workspace, tool, '/service.ts', Buffer.from(lines.join('\n')), {
    create: true,
    overwrite: false,
  });
  await bob.ask({ type: 'join', way, link });
  await bob.ask({ type: 'look', way, workspace, tool });
  return { way, alice, workspace, tool, samples: [], bytes: [], counted: 0, lines };
}

/** Real source of this project, cut to the size. */
async function sourceLines(): Promise<string[]> {
  const text = await readFile(join(root, 'src', 'service', 'shared-workspace.ts'), 'utf8');
  if (text.length < FILE_BYTES) throw new Error('the source file has become too short for this benchmark');
  return text.slice(0, FILE_BYTES).split('\n');
}

/** One line of the middle is another now, as when somebody has typed in it. */
function edited(lines: readonly string[], n: number): string[] {
  const at = (n * 37) % (lines.length - 2);
  return lines.with(at, `  const changed = this.#settings.name.trim().slice(0, ${n});`);
}

async function save(pair: Pair, bob: Bob, n: number): Promise<void> {
  pair.lines = edited(pair.lines, n);
  const bytes = Buffer.from(pair.lines.join('\n'));
  await bob.ask({ type: 'mark', way: pair.way });
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  countBytes(pair);
  const seen = bob.seen(pair.way);
  pair.alice.mark();
  const start = now_ms();
  await pair.alice.api.write(pair.workspace, pair.tool, '/service.ts', bytes, { create: false, overwrite: true });
  const { received = start, reported, readable } = await seen;
  const left = pair.alice.sentAt(CHANGE_BYTES) ?? start;
  pair.samples.push({
    total: readable - start,
    reported: reported - start,
    leaving: left - start,
    travelling: received - left,
    arriving: reported - received,
  });
}

function countBytes(pair: Pair): void {
  const now = total(pair.alice);
  pair.bytes.push(now - pair.counted);
  pair.counted = now;
}

function total({ transport: { counters } }: Member): number {
  const { directSentBytes, directReceivedBytes, relaySentBytes, relayReceivedBytes } = counters;
  return directSentBytes + directReceivedBytes + relaySentBytes + relayReceivedBytes;
}

/** Of Alice's one message for one edit: what she sends less what is sent for its acknowledgement, which she only receives. */
async function messageBytes(direct: Pair, bob: Bob): Promise<number> {
  const before = direct.alice.transport.counters.directSentBytes;
  await save(direct, bob, WARM_UP + SAMPLES);
  direct.samples.length = 0;
  return direct.alice.transport.counters.directSentBytes - before;
}

async function counters(pairs: readonly Pair[], bob: Bob) {
  const [direct, relay] = pairs.map(({ alice }) => alice.transport.counters);
  const theirs = JSON.parse(await bob.ask({ type: 'bytes', way: 'relay' })) as typeof relay;
  return {
    direct: direct!.directSentBytes + direct!.directReceivedBytes,
    relay: relay!.relaySentBytes + relay!.relayReceivedBytes,
    bobRelay: theirs!.relaySentBytes + theirs!.relayReceivedBytes,
  };
}

async function proveSame(pairs: readonly Pair[], bob: Bob): Promise<void> {
  for (const { way, workspace, tool, lines } of pairs) {
    const his = await bob.ask({ type: 'content', way, workspace, tool, path: '/service.ts' });
    if (his !== Buffer.from(lines.join('\n')).toString('base64')) throw new Error(`${way}: the copies differ`);
  }
}

async function until(member: Member, holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const event = member.next(() => true);
    if (await holds()) return;
    await event;
  }
}

/** The last acknowledgements are over. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 1_000));

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

// ---- the other processes ------------------------------------------------------------------------------------------------

async function startRelay(folder: string, children: ChildProcess[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const options = ['--data', folder, '--host', '127.0.0.1', '--port', '0'];
  const program = join(root, 'src', 'relay', 'main.ts');
  const relay = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(relay);
  let said = '';
  for await (const data of relay.stdout) {
    said += String(data);
    const address = /coterie-relay:\S+/.exec(said)?.[0];
    if (address !== undefined && said.includes('relay listening on')) {
      relay.stdout.resume();
      return address;
    }
  }
  throw new Error('the relay did not come up');
}

class Bob {
  readonly #child: ChildProcess;
  readonly echoPort: number;
  #answer: ((value: string) => void) | undefined;
  readonly #seen = new Map<Way, (seen: FromBob & { type: 'seen' }) => void>();

  private constructor(child: ChildProcess, echoPort: number) {
    this.#child = child;
    this.echoPort = echoPort;
    child.on('message', (message: FromBob) => {
      if (message.type === 'done') this.#answer?.(message.value);
      if (message.type === 'seen') this.#seen.get(message.way)?.(message);
    });
  }

  static async start(children: ChildProcess[]): Promise<Bob> {
    const program = join(root, 'bench', 'latency-bob.ts');
    const child = fork(program, [], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    children.push(child);
    const [ready] = (await once(child, 'message')) as [FromBob];
    if (ready.type !== 'ready') throw new Error('Bob did not come up');
    return new Bob(child, ready.echoPort);
  }

  /** One question at a time. */
  ask(message: ToBob): Promise<string> {
    const answer = new Promise<string>((resolve) => (this.#answer = resolve));
    this.#child.send(message);
    return limited(answer, `Bob does not answer to ${message.type}`);
  }

  /** The next change that his service reports. */
  seen(way: Way): Promise<FromBob & { type: 'seen' }> {
    const seen = new Promise<FromBob & { type: 'seen' }>((resolve) => this.#seen.set(way, resolve));
    return limited(seen, `Bob saw nothing (${way})`);
  }
}

class Echo {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async connect(port: number): Promise<Echo> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await once(socket, 'open');
    const echo = new Echo(socket);
    for (let n = 0; n < WARM_UP; n++) await echo.roundTrip(FILE_BYTES);
    return echo;
  }

  async roundTrip(bytes: number): Promise<number> {
    const message = randomBytes(bytes);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const start = now_ms();
    const back = new Promise<number>((resolve) => this.#socket.once('message', () => resolve(now_ms())));
    this.#socket.send(message);
    return (await back) - start;
  }
}

async function limited<T>(work: Promise<T>, sentence: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(sentence)), LIMIT_MS)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

// ---- floors: what its parts cost alone ----------------------------------------------------------------------------------

async function fsyncOnce(folder: string, bytes: number): Promise<number> {
  const file = await open(join(folder, 'floor'), 'a');
  const data = randomBytes(bytes);
  const start = now_ms();
  await file.write(data);
  await file.datasync();
  const end = now_ms();
  await file.close();
  return end - start;
}

function cryptography(bytes: number) {
  const crypto = nodeCrypto();
  const [seed, key, nonce, data] = [randomBytes(32), randomBytes(32), randomBytes(24), randomBytes(bytes)];
  const publicKey = crypto.signingKeyOf(seed);
  const signature = crypto.sign(seed, data);
  const sealed = crypto.seal(key, nonce, data, new Uint8Array(8));
  const each = (work: () => unknown): number => {
    const times: number[] = [];
    for (let n = 0; n < 500; n++) {
      const start = now_ms();
      work();
      times.push((now_ms() - start) * 1000);
    }
    return rounded(percentile(times, 50), 1);
  };
  return {
    sign: each(() => crypto.sign(seed, data)),
    verify: each(() => crypto.verify(publicKey, data, signature)),
    seal: each(() => crypto.seal(key, nonce, data, new Uint8Array(8))),
    open: each(() => crypto.open(key, nonce, sealed, new Uint8Array(8))),
    sha256_20k: each(() => crypto.sha256(randomBytes(FILE_BYTES))),
  };
}
