/**
 * A catch-up of 100,000 small deltas from ten feeds, over a real connection, by the service as it ships: opened, verified, decoded,
 * authorised, applied, indexed, shown and journalled with fsync on a real disk.
 *
 * The peer who has everything is a process of its own. The one that catches up is another, made anew for each round: its first thread is
 * in the place of a window's extension host, and the longest block of that one is measured; the service is in its worker thread. The clock
 * runs from the first large message out of the peer until the last acknowledgement is back, which is after the last fsync. The floor is
 * opening and decoding the same messages and nothing else, in this process, in the same run. That believes every delta: beside it stands
 * what opening costs who takes none that is not authentic, with a signature for each run (D7), in batches as large as they are over a
 * quick path.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { out, root } from '../scripts/lib/project.mjs';
import { fromBase64Url } from '../src/base/bytes.ts';
import { nodeCrypto } from '../src/crypto/node/crypto.ts';
import { BATCH_BYTES } from '../src/protocol/limits.ts';
import { decodeRecord, deltasIn } from '../src/service/records.ts';
import { openStore } from '../src/store/store.ts';
import { LARGE_BATCH_BYTES } from '../src/sync/credit.ts';
import { checkSignature, type Delta, DeltaReader } from '../src/sync/delta.ts';
import { openMessage, sealMessage } from '../src/sync/envelope.ts';
import { decodeMessage, encodeMessage } from '../src/sync/messages.ts';
import type { Busy } from '../test/vscode/busy.ts';
import type { FromPeer, ToPeer } from './ingest-peer.ts';
import type { FromWindow, ToWindow } from './ingest-window.ts';
import type { Benchmark } from './lib/benchmark.ts';
import { built, dist, startWindow } from './lib/built.ts';
import { now_ms, percentile, rounded } from './lib/figures.ts';
import { History, smallTalk, writeStore, type Writer } from './lib/history.ts';

const DELTAS = 100_000;
const FEEDS = 10;
const ROUNDS = 3;
const LIMIT_MS = 120_000;

const crypto = nodeCrypto();

interface Round {
  readonly deltas_per_s: number;
  readonly busy: Busy;
  readonly bytes: number;
  readonly rss_mb: number;
  readonly peer_cpu_ms: number;
  readonly own_cpu_ms: number;
}

export const ingest: Benchmark = async (say) => {
  await mkdir(out, { recursive: true });
  const folder = await mkdtemp(join(out, 'bench-ingest-'));
  const peer = fork(join(root, 'bench', 'ingest-peer.ts'), { execArgv: ['--disable-warning=ExperimentalWarning'] });
  try {
    return await measure(folder, peer, say);
  } finally {
    peer.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(folder: string, peer: ChildProcess, say: (word: string) => void) {
  await built();
  say(`making ${DELTAS} signed deltas of ${FEEDS} members ...`);
  const names = Array.from({ length: FEEDS + ROUNDS }, (_, i) => `Member ${i + 1}`);
  const history = new History(names);
  const [writers, readers] = [history.members.slice(0, FEEDS), history.members.slice(FEEDS)];
  const talk = smallTalk(history);
  const deltas = [...history.written(DELTAS, writers, talk.entry, talk.noted)];
  const everything = [...history.control, ...deltas].map(({ bytes }) => bytes);
  await writeStore(join(folder, 'peer'), writers[0]!, history.workspace, everything);
  const messages = sealed(history, deltas, BATCH_BYTES);
  const large = sealed(history, deltas, LARGE_BATCH_BYTES);

  say('opening the peer that has them ...');
  const [founder] = writers as [Writer, ...Writer[]];
  const { address } = await ask(peer, 'open', {
    type: 'open',
    folder: join(folder, 'peer'),
    name: founder.name,
    secrets: founder.secrets,
  });

  const rounds: Round[] = [];
  const floors: number[] = [];
  const checked: number[] = [];
  const decodings: number[] = [];
  for (const reader of readers) {
    say(`round ${rounds.length + 1} of ${ROUNDS} ...`);
    floors.push(floor(history, messages, 'deltas'));
    checked.push(floor(history, large, 'signatures'));
    decodings.push(floor(history, messages, 'messages'));
    rounds.push(await catchUp(folder, history, reader, address, peer));
    say(`  ${rounds.at(-1)!.deltas_per_s} deltas/s; floor ${rounded(floors.at(-1)!, 0)}`);
  }
  peer.send({ type: 'close' } satisfies ToPeer);
  await once(peer, 'exit');

  const median = (values: readonly number[]): number => percentile(values, 50);
  const figures = {
    deltas_per_s: Math.round(median(rounds.map((round) => round.deltas_per_s))),
    floor_per_s: Math.round(median(floors)),
    floor_checked_per_s: Math.round(median(checked)),
    longest_block_ms: rounded(Math.max(...rounds.map(({ busy }) => busy.longest.busy_ms)), 1),
  };
  const raw = {
    what: 'catch-up of 100,000 deltas of ten feeds over a direct connection, until the last is durable and acknowledged',
    notes: [
      'floor: openMessage, decodeMessage and DeltaReader (CBOR and SHA-256) of the same messages, one thread, nothing else',
      'floor_checked: with the signature at the end of each run (D7), in batches as large as they become over a quick path',
      'longest_block_ms: of the window’s thread, the longest gap of its event loop less the time in which it was ready and had no processor',
      'cpu of the own process: the worker thread, the window’s thread and the threads of the pool together',
    ],
    deltas: DELTAS,
    feeds: FEEDS,
    bytes_per_delta: rounded(deltas.reduce((sum, { bytes }) => sum + bytes.length, 0) / DELTAS, 1),
    messages: messages.length,
    floor_without_hash_per_s: decodings.map((rate) => Math.round(rate)),
    floor_per_s: floors.map((rate) => Math.round(rate)),
    floor_checked_per_s: checked.map((rate) => Math.round(rate)),
    rounds: rounds.map(({ busy, ...round }) => ({
      ...round,
      host_ms: { window: rounded(busy.window_ms, 0), longest: busy.longest, second: busy.second },
    })),
  };
  return { figures, raw };
}

/** One more member comes back after a long time: his store has the members and nothing of what they wrote. */
async function catchUp(
  folder: string,
  history: History,
  reader: Writer,
  address: string,
  peer: ChildProcess,
): Promise<Round> {
  const place = join(folder, reader.name);
  const { workspace } = history;
  const [{ certificate: peerCertificate }] = history.members as [Writer, ...Writer[]];
  await writeStore(
    place,
    reader,
    workspace,
    history.control.map(({ bytes }) => bytes),
    { [`address/${workspace}/${peerCertificate.device}`]: [address] },
  );
  const served = ask(peer, 'served', { type: 'serve', workspace, member: reader.certificate.account });
  const window = startWindow('ingest-window');
  try {
    const { name, secrets } = reader;
    window.send({ type: 'catchUp', dist, folder: place, name, secrets } satisfies ToWindow);
    const { first_ms, last_ms, bytes, cpu_ms } = await served;
    const answer = once(window, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
    window.send({ type: 'done', workspace, chat: history.chat } satisfies ToWindow);
    const [own] = (await answer) as [FromWindow];
    await once(window, 'exit');
    if (own.unread < DELTAS * 0.85 || own.posts === 0) throw new Error(`the copy is not whole: ${own.unread} unread`);
    await proveDurable(place, reader);
    return {
      deltas_per_s: Math.round((DELTAS / (last_ms - first_ms)) * 1000),
      busy: own.busy,
      bytes,
      rss_mb: Math.round(own.rss / 1e6),
      peer_cpu_ms: Math.round(cpu_ms),
      own_cpu_ms: Math.round(own.cpu_ms),
    };
  } finally {
    window.kill('SIGKILL');
  }
}

async function proveDurable(folder: string, reader: Writer): Promise<void> {
  const store = await openStore({ folder, key: fromBase64Url(reader.secrets.storeKey)!, crypto });
  let deltas = 0;
  await store.log.replay((bytes) => {
    const record = decodeRecord(bytes);
    if (record) deltas += deltasIn(record).length;
  });
  await store.close();
  if (deltas < DELTAS) throw new Error(`only ${deltas} deltas are in the journal`);
}

/** The messages of a catch-up: batches of so many bytes in the order of arrival, a run per feed. */
function sealed(history: History, deltas: readonly Delta[], batchBytes: number): readonly Uint8Array[] {
  const messages: Uint8Array[] = [];
  const [sender] = history.members as [Writer, ...Writer[]];
  let runs = new Map<string, Uint8Array[]>();
  let bytes = 0;
  const flush = (): void => {
    const plain = encodeMessage(sender.certificate.device, { kind: 'deltas', runs: [...runs.values()] });
    messages.push(sealMessage(crypto, { ...history.epoch, workspace: history.workspace }, plain));
    runs = new Map();
    bytes = 0;
  };
  for (const delta of deltas) {
    const run = runs.get(delta.feed);
    if (run) run.push(delta.bytes);
    else runs.set(delta.feed, [delta.bytes]);
    bytes += delta.bytes.length;
    if (bytes >= batchBytes) flush();
  }
  if (bytes > 0) flush();
  return messages;
}

/** Deltas a second, opened and decoded alone: the messages around them, the deltas too, or with the signature of each run. */
function floor(history: History, messages: readonly Uint8Array[], upTo: 'messages' | 'deltas' | 'signatures'): number {
  const reader = new DeltaReader(crypto, history.workspace);
  let count = 0;
  const start = now_ms();
  for (const bytes of messages) {
    const opened = openMessage(crypto, { ...history.epoch, workspace: history.workspace }, bytes);
    const decoded = opened && decodeMessage(opened);
    if (!decoded?.ok || decoded.value.message.kind !== 'deltas') throw new Error('the floor could not be measured');
    for (const run of decoded.value.message.runs) {
      count += run.length;
      if (upTo === 'messages') continue;
      let last: Delta | undefined;
      for (const delta of run) {
        const read = reader.read(delta);
        if (!read.ok) throw new Error('a delta could not be read');
        last = read.value;
      }
      if (upTo === 'signatures' && !(last && checkSignature(crypto, history.workspace, last)))
        throw new Error('a signature does not stand');
    }
  }
  return (count / (now_ms() - start)) * 1000;
}

async function ask<T extends FromPeer['type']>(
  peer: ChildProcess,
  type: T,
  message: ToPeer,
): Promise<Extract<FromPeer, { readonly type: T }>> {
  const answer = once(peer, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
  peer.send(message);
  const [given] = (await answer) as [FromPeer];
  if (given.type !== type) throw new Error(`the peer answered ${given.type}`);
  return given as Extract<FromPeer, { readonly type: T }>;
}
