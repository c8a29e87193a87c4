/** Frames over a WebSocket: one binary message each. Anything else ends it, and so does silence. */
import type { WebSocket } from 'ws';
import { CONNECTION_IDLE_MS } from '../protocol/limits.ts';
import type { FramePipe } from './frame-pipe.ts';

/** RFC 6455 §7.4.1. */
const CLOSE_NORMAL = 1000;
/** Time for the other side's part of closing; then the socket goes. */
const CLOSE_TIMEOUT_MS = 1_000;

export function wsPipe(socket: WebSocket): FramePipe {
  let heard = true;
  let silentFor_ms = 0;
  const step_ms = CONNECTION_IDLE_MS / 3;
  const pulse = setInterval(() => {
    silentFor_ms = heard ? 0 : silentFor_ms + step_ms;
    heard = false;
    if (silentFor_ms >= CONNECTION_IDLE_MS) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  }, step_ms);
  const hear = () => (heard = true);
  let drained = () => {};

  return {
    send: (frame) => {
      if (socket.readyState === socket.OPEN) socket.send(frame, { binary: true }, (error) => error ?? drained());
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => {
      if (socket.readyState === socket.CLOSED) return;
      socket.resume();
      socket.close(CLOSE_NORMAL);
      setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
    },
    listen: (listener) => {
      drained = () => listener.drained();
      socket.on('message', (data, isBinary) => {
        hear();
        if (isBinary && data instanceof Uint8Array) listener.frame(data);
        else socket.terminate();
      });
      socket.on('ping', hear);
      socket.on('pong', hear);
      // What was wrong with the peer's bytes is of no use to anyone: `close` follows.
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(pulse);
        listener.closed();
      });
    },
  };
}
