/**
 * How long a window waits for a store with 100,000 items, 50,000 files and 50,000 posts, and what it costs in memory: from a process
 * with nothing loaded until the list of workspaces, the top of the files and a page of the chat are there. The window's part and the service
 * in its worker thread are built as they ship; the store is as that service leaves it. The floor is reading and unsealing the same records
 * alone.
 *
 * Twice: at rest, where everybody has acknowledged everything and it is in the base (L4), as a workspace with a past is; and where nobody
 * ever has, so that every delta is read, judged and folded again.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { out } from '../scripts/lib/project.mjs';
import { fromBase64Url } from '../src/base/bytes.ts';
import type { DeltaId } from '../src/base/ids.ts';
import { nodeCrypto } from '../src/crypto/node/crypto.ts';
import type { Value } from '../src/protocol/codec.ts';
import { connectService } from '../src/rpc/window.ts';
import { recordsOf } from '../src/service/journal.ts';
import { encodeRecord } from '../src/service/records.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { generationKey } from '../src/sync/epoch.ts';
import { feedOf } from '../src/sync/delta.ts';
import { Replica } from '../src/sync/replica.ts';
import { chatReducer } from '../src/tools/chat/reducer.ts';
import { filesReducer } from '../src/tools/files/reducer.ts';
import { contentToValue, sealChunk } from '../src/tools/files/content.ts';
import type { Benchmark } from './lib/benchmark.ts';
import { built, dist, startWindow } from './lib/built.ts';
import { now_ms, percentile, rounded } from './lib/figures.ts';
import { type Entry, History, writeStore, type Writer } from './lib/history.ts';
import { windowOptions } from './lib/window.ts';
import type { FromWindow, ToWindow } from './open-window.ts';

const FILES = 50_000;
const POSTS = 50_000;
const FOLDERS = 250;
const MEMBERS = 5;
const ROUNDS = 3;
const MIB = 2 ** 20;
const LIMIT_MS = 120_000;

const crypto = nodeCrypto();

export const open: Benchmark = async (say) => {
  await mkdir(out, { recursive: true });
  const folder = await mkdtemp(join(out, 'bench-open-'));
  try {
    return await measure(folder, say);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(folder: string, say: (word: string) => void) {
  await built();
  say(`making ${FILES} files in ${FOLDERS} folders, and ${POSTS} posts ...`);
  const history = new History(Array.from({ length: MEMBERS }, (_, i) => `Member ${i + 1}`));
  const [owner] = history.members as [Writer, ...Writer[]];
  const deltas = [...written(history)];
  await writeStore(join(folder, 'anew'), owner, history.workspace, deltas);
  for (const { bytes } of history.acknowledged(history.members)) deltas.push(bytes);
  await writeRestingStore(join(folder, 'rest'), owner, history, deltas);
  const rest = await measureStore(join(folder, 'rest'), owner, history, say);
  say('and where nobody has acknowledged anything ...');
  const anew = await measureStore(join(folder, 'anew'), owner, history, say);
  const { open_ms, rss_mb } = rest.figures;
  const notes = [
    'rss_mb: resident memory of the process when the answers are there, less what it had before anything of ours was loaded',
    'floor: reading and unsealing all records of the log in this process, and nothing with them',
    'the disk’s cache is warm: nobody can empty it without being its owner',
    'at rest: all is in the base, and nothing upon it; anew: every delta is upon nothing, for nobody has acknowledged any',
  ];
  const what =
    'a new process, nothing loaded, until list, top of the files and a page of the chat are there; 100,000 items';
  const raw = {
    what,
    notes,
    files: FILES,
    folders: FOLDERS,
    posts: POSTS,
    rest: rest.raw,
    anew: { ...anew.figures, ...anew.raw },
  };
  return { figures: { open_ms, rss_mb }, raw };
}

async function measureStore(folder: string, owner: Writer, history: History, say: (word: string) => void) {
  await storeContent(folder, owner, history);
  say('letting the service bring the store into its own form ...');
  const first = await connectService(windowOptions(dist, folder, owner.name, owner.secrets));
  await first.api.workspaces();
  await first.dispose();

  const rounds: FromWindow[] = [];
  const floors: number[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    floors.push(await floor(folder, owner));
    const round = await opened({
      dist,
      folder,
      name: owner.name,
      secrets: owner.secrets,
      workspace: history.workspace,
      files: history.files,
      chat: history.chat,
    });
    if (round.entries !== FOLDERS || round.posts === 0) throw new Error('what was opened is not what was written');
    rounds.push(round);
    say(
      `  ${round.open_ms.toFixed(0)} ms, ${mib(round.rss - round.bare_rss)} MiB; floor ${floors.at(-1)!.toFixed(0)} ms`,
    );
  }
  const median = (values: readonly number[]): number => percentile(values, 50);
  const figures = {
    open_ms: Math.round(median(rounds.map(({ open_ms }) => open_ms))),
    rss_mb: Math.round(median(rounds.map(({ rss, bare_rss }) => (rss - bare_rss) / 1e6))),
  };
  const raw = {
    floor_ms: floors.map((ms) => rounded(ms, 0)),
    rounds: rounds.map(({ bare_rss, rss, max_rss, ...round }) => ({
      ...round,
      bare_mib: mib(bare_rss),
      rss_mib: mib(rss),
      max_rss_mib: mib(max_rss),
    })),
  };
  return { figures, raw };
}

const mib = (bytes: number): number => rounded(bytes / MIB, 1);

/** As the service leaves it when all has been acknowledged, folded and compacted. */
async function writeRestingStore(
  folder: string,
  owner: Writer,
  { workspace }: History,
  deltas: readonly Uint8Array[],
): Promise<void> {
  const own = feedOf(owner.signer.device, 0);
  const replica = new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own });
  for (const bytes of deltas) replica.restore(bytes);
  if (replica.advance().folded.length < FILES + POSTS) throw new Error('not all is acknowledged');
  const store = await storeOf(folder, owner);
  await store.log.replay(() => undefined);
  const certificate = encodeRecord({ kind: 'local', key: 'certificate', value: owner.certificate.bytes });
  await store.log.compact([certificate, ...recordsOf({ replica, partsHere: [] })]);
  await store.close();
}

/** What the members have written, in turns: control, folders, then files and posts. */
function* written(history: History): Generator<Uint8Array> {
  for (const { bytes } of history.control) yield bytes;
  const folders: DeltaId[] = [];
  const founder = history.members.slice(0, 1);
  const folder = (n: number): Entry => entryOf(history.files, 'folder', [NONE, `folder ${n}`]);
  for (const delta of history.written(FOLDERS, founder, (_, n) => folder(n))) {
    folders.push(delta.id);
    yield delta.bytes;
  }
  const content = fileContents(history);
  const entry = (n: number): Entry => {
    const half = n >> 1;
    if (n % 2 === 1)
      return entryOf(history.chat, 'post', [`${half} ${'what one says in passing '.repeat(1 + (half % 4))}`]);
    const parent = Buffer.from(folders[half % FOLDERS]!, 'hex');
    return entryOf(history.files, 'file', [parent, `file ${half}.ts`, content(half)]);
  };
  for (const delta of history.written(FILES + POSTS, history.members, (_, n) => entry(n))) yield delta.bytes;
}

const NONE = new Uint8Array(0);
const entryOf = (tool: Entry['tool'], kind: string, body: Value): Entry => ({ tool, kind, body });
const textOf = (n: number): Uint8Array =>
  new TextEncoder().encode(`// ${n}\n`.padEnd(100 + ((n * 31) % 400), 'const a = 1;\n'));

function fileContents(history: History): (n: number) => Value {
  const kg = generationKey(crypto, history.epoch.key);
  return (n) => {
    const text = textOf(n);
    const { id } = sealChunk(crypto, kg, text);
    const chunks = [{ generation: history.epoch.tag, id, bytes: text.length }];
    return contentToValue({ kind: 'chunks', bytes: text.length, sha256: crypto.sha256(text), chunks, indirect: false });
  };
}

async function storeContent(folder: string, owner: Writer, history: History): Promise<void> {
  const kg = generationKey(crypto, history.epoch.key);
  const store = await storeOf(folder, owner);
  await store.log.replay(() => undefined);
  for (let n = 0; n < FILES; n++) {
    const { id, bytes } = sealChunk(crypto, kg, textOf(n));
    await store.chunks.put(id, bytes);
  }
  await store.chunks.sync();
  await store.close();
}

function storeOf(folder: string, { secrets }: Writer): Promise<Store> {
  return openStore({ folder, key: fromBase64Url(secrets.storeKey)!, crypto });
}

async function floor(folder: string, owner: Writer): Promise<number> {
  const start = now_ms();
  const store = await storeOf(folder, owner);
  const { records } = await store.log.replay(() => undefined);
  const end = now_ms();
  await store.close();
  if (records === 0) throw new Error('the log has lost its records');
  return end - start;
}

async function opened(message: ToWindow): Promise<FromWindow> {
  const child = startWindow('open-window');
  try {
    const answer = once(child, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
    const exit = once(child, 'exit');
    child.send(message);
    const [given] = (await answer) as [FromWindow];
    await exit;
    return given;
  } finally {
    child.kill('SIGKILL');
  }
}
