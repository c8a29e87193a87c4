/** Where an owner listens, how it is dialled, and who is let in. */
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, rmdir, utimes } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, type OwnerRecord } from './owner-record.ts';
import type { MessageDuplex } from './port.ts';
import { MAX_GUESTS, RPC_AUTHENTICATION_MS, RPC_LINGER_MS } from './rpc-limits.ts';
import { SocketDuplex } from './socket-port.ts';
import { proveAsGuest, proveAsOwner } from './socket-proof.ts';

/** The shortest of the systems' limits for a socket's path (macOS: 104 with the closing zero). */
const MAX_SOCKET_PATH_BYTES = 103;
/** Cleaners of temporary folders take what has not been touched for days. */
const TOUCH_MS = 3_600_000;

export class LocalListener {
  readonly path: string;
  readonly #folder: string | undefined;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #touching: NodeJS.Timeout;

  private constructor({ path, folder }: Place, server: Server, sockets: Set<Socket>) {
    this.path = path;
    this.#folder = folder;
    this.#server = server;
    this.#sockets = sockets;
    this.#touching = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
    this.#touching.unref();
  }

  /** Each who proves to know the token is handed on; all others are closed, and nothing more happens. */
  static async open(
    folder: string,
    token: Uint8Array,
    onGuest: (duplex: MessageDuplex) => void,
  ): Promise<LocalListener> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      void proveAsOwner(socket, token, RPC_AUTHENTICATION_MS).then((proved) => {
        if (proved) onGuest(new SocketDuplex(socket, proved.early));
      });
    });
    server.maxConnections = MAX_GUESTS;
    const place = await newPlace(folder);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(place.path, resolve);
    });
    // A listener that cannot accept for want of handles goes on with those it has.
    server.on('error', () => undefined);
    return new LocalListener(place, server, sockets);
  }

  /** Closes the guests' connections too: they elect the next owner. */
  async close(): Promise<void> {
    clearInterval(this.#touching);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // What has been written, such as the last answers, still goes out, where the other side reads.
    for (const socket of this.#sockets) socket.destroySoon();
    const impatient = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), RPC_LINGER_MS);
    await closed;
    clearTimeout(impatient);
    if (this.#folder !== undefined) await rmdir(this.#folder).catch(() => undefined);
  }
}

export type Dialled =
  | { readonly state: 'open'; readonly duplex: MessageDuplex }
  /** `dead`: nobody listens, for ever. `stalled`: someone does, and does not answer. `unclear`: to be asked again. */
  | { readonly state: 'dead' | 'stalled' | 'unclear' };

export async function dial(record: OwnerRecord, timeout_ms: number): Promise<Dialled> {
  const socket = createConnection(record.socket);
  const failure = await new Promise<string | undefined>((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('error', (error) => resolve(codeOf(error)));
  });
  // All else, such as a full backlog or no handles left here, says nothing about the owner.
  if (failure !== undefined) return { state: DEAD.has(failure) ? 'dead' : 'unclear' };
  const proved = await proveAsGuest(socket, record.token, timeout_ms);
  // An impostor sits on a name that its owner has left.
  if (proved === 'impostor') return { state: 'dead' };
  if (proved === 'closed') return { state: 'unclear' };
  return proved === 'stalled' ? { state: proved } : { state: 'open', duplex: new SocketDuplex(socket, proved.early) };
}

/** A socket without its process; not even that; something else by now. */
const DEAD: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

interface Place {
  readonly path: string;
  /** Made for this one socket, and gone with it. */
  readonly folder?: string;
}

/** Short, in a folder that is this person's alone, and never the same twice; a Windows pipe has a namespace instead. */
async function newPlace(folder: string): Promise<Place> {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 8) + randomBytes(8).toString('hex');
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\coterie-${name}` };
  const user = process.getuid?.() ?? 0;
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const folders = [
    ...(runtime ? [join(runtime, 'coterie')] : []),
    join(tmpdir(), `coterie-${user}`),
    join('/tmp', `coterie-${user}`),
  ];
  for (const each of folders) {
    const path = join(each, name);
    if (isShort(path) && (await isOurs(each, user))) return { path };
  }
  // On a machine that is shared anybody may have taken those names before.
  for (const each of [tmpdir(), '/tmp']) {
    const path = join(each, 'coterie-XXXXXX', name);
    const made = isShort(path) ? await mkdtemp(join(each, 'coterie-')).catch(() => undefined) : undefined;
    if (made !== undefined) return { path: join(made, name), folder: made };
  }
  throw new Error('there is no folder for a local socket');
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

async function isOurs(folder: string, user: number): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await lstat(folder);
    return found.isDirectory() && found.uid === user && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
