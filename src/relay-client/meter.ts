/** Counts the bytes of every socket, and shows the recorded traffic to a test that looks for plaintext in it. */
import type { Socket } from 'node:net';

export interface Counters {
  readonly directSentBytes: number;
  readonly directReceivedBytes: number;
  readonly relaySentBytes: number;
  readonly relayReceivedBytes: number;
}

export type Path = 'direct' | 'relay';
/** Sees each message as it stands on the wire: after sealing, before opening; datagrams of the LAN too. */
export type Tap = (direction: 'sent' | 'received', path: Path | 'lan', bytes: Uint8Array) => void;

export class Meter {
  readonly tap: Tap | undefined;
  readonly #open = new Map<Socket, Path>();
  readonly #closed = { direct: { sent: 0, received: 0 }, relay: { sent: 0, received: 0 } };

  constructor(tap: Tap | undefined) {
    this.tap = tap;
  }

  /** From now until it closes, the socket's own counts are part of the sums: nothing is done per message. */
  watch(socket: Socket, path: Path): void {
    this.#open.set(socket, path);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#closed[path].sent += socket.bytesWritten;
      this.#closed[path].received += socket.bytesRead;
    });
  }

  get counters(): Counters {
    const direct = { ...this.#closed.direct };
    const relay = { ...this.#closed.relay };
    for (const [socket, path] of this.#open) {
      const sum = path === 'direct' ? direct : relay;
      sum.sent += socket.bytesWritten;
      sum.received += socket.bytesRead;
    }
    return {
      directSentBytes: direct.sent,
      directReceivedBytes: direct.received,
      relaySentBytes: relay.sent,
      relayReceivedBytes: relay.received,
    };
  }
}
