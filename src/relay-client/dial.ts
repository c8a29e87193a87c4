/** Opens WebSockets to `host:port`: devices answer on DIRECT_PATH, a relay on its root. */
import { connect, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { HANDSHAKE_TIMEOUT_MS } from '../protocol/limits.ts';
import { writeAddress, type HostPort } from './addresses.ts';
import type { Meter, Path } from './meter.ts';
import { SOCKET_OPTIONS } from './secure-link.ts';

export const DIRECT_PATH = '/coterie';

export function openSocket({ host, port }: HostPort, path: Path, meter: Meter): WebSocket {
  const options: ClientOptions = {
    ...SOCKET_OPTIONS,
    followRedirects: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // Masking guards proxies against bytes chosen by a page; ours are ciphertext, so the zero mask saves a pass over them.
    generateMask: (mask) => void mask.fill(0),
    createConnection: (): Socket => {
      const socket = connect({ host, port, noDelay: true });
      meter.watch(socket, path);
      return socket;
    },
  };
  // A zone (fe80::1%eth0) has no place in a URL; the socket above has it.
  const authority = writeAddress(host.replace(/%.*$/, ''), port);
  return new WebSocket(`ws://${authority}${path === 'direct' ? DIRECT_PATH : '/'}`, options);
}
