/** Under which hosts devices can reach this machine, best first. */
import { isIPv6 } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

export interface ReachableHost {
  /** As it stands in an address: IPv6 in brackets. */
  readonly host: string;
  readonly from: 'anywhere that knows this name' | 'the same network' | 'this machine only';
}

export function reachableHosts(listenHost: string, publicHost: string | undefined): readonly ReachableHost[] {
  const hosts: ReachableHost[] = [];
  if (publicHost !== undefined) hosts.push({ host: bracketed(publicHost), from: 'anywhere that knows this name' });
  const everywhere = listenHost === '0.0.0.0' || listenHost === '::';
  if (!everywhere) {
    const local = listenHost === 'localhost' || listenHost === '::1' || listenHost.startsWith('127.');
    hosts.push({ host: bracketed(listenHost), from: local ? 'this machine only' : 'the same network' });
    return hosts;
  }
  for (const { address, family, internal } of machineAddresses()) {
    // Link-local IPv6 needs the other machine's interface name, which no address can carry.
    if (internal || address.startsWith('fe80:') || (family === 'IPv6' && listenHost !== '::')) continue;
    hosts.push({ host: bracketed(address), from: 'the same network' });
  }
  hosts.push({ host: '127.0.0.1', from: 'this machine only' });
  return hosts;
}

/** None where the system does not tell them, as Android tells no app. */
function machineAddresses(): readonly NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  } catch {
    return [];
  }
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
