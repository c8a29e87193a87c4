/** Opens WebSockets to `host:port`: devices answer on DIRECT_PATH, a relay on its root. */
import { connect, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import type { ChannelOptions } from '../protocol/channel.ts';
import { HANDSHAKE_TIMEOUT_MS } from '../protocol/limits.ts';
import { authorityOf, type HostPort } from './addresses.ts';
import type { Meter, Path } from './meter.ts';
import { SecureLink, SOCKET_OPTIONS, type LinkContext, type LinkEvents } from './secure-link.ts';

export const DIRECT_PATH = '/coterie';
/** Of no machine (RFC 6761). */
const NO_HOST = 'host.invalid';

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
  // For a proxy that looks at the name. What a URL does not take as a host leaves the one that is there: it throws nothing.
  const url = new URL(`ws://${NO_HOST}${path === 'direct' ? DIRECT_PATH : '/'}`);
  url.host = authorityOf({ host, port });
  return new WebSocket(url, options);
}

/**
 * A link to whoever answers there. Undefined where not even a socket can be begun, whatever the reason: a try that failed like
 * any other, since one who cannot be reached must not keep this device from everybody else.
 */
export function dial(
  context: LinkContext,
  address: HostPort,
  path: Path,
  expect: ChannelOptions['expect'],
  events: LinkEvents,
): SecureLink | undefined {
  let socket: WebSocket | undefined;
  try {
    socket = openSocket(address, path, context.meter);
    return new SecureLink(context, path, 'initiator', expect, socket, events);
  } catch {
    // Nobody else listens to its end.
    socket?.on('error', () => {}).terminate();
    return undefined;
  }
}
