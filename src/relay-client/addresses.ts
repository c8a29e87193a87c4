/** `host:port` as routes carry it; an IPv6 host stands in brackets, with its zone where it is link-local. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { MAX_ADDRESS_BYTES } from '../protocol/limits.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const FORM = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]{1,32})?)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

/** Addresses come from other people: undefined where it is none. */
export function readAddress(text: string): HostPort | undefined {
  if (text.length > MAX_ADDRESS_BYTES) return undefined;
  const parts = FORM.exec(text);
  const port = Number(parts?.[3]);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  // What stands in brackets and is no IPv6 address would be looked up as the name of a host.
  if (parts?.[1] !== undefined && isIP(host) !== 6) return undefined;
  const address = { host, port };
  // A name that ends in a number and is no IPv4 address (999.1.1.1, a.5) is none that could be dialled.
  return URL.canParse(`ws://${authorityOf(address)}`) ? address : undefined;
}

/** As it stands in a URL, which has no place for a zone (fe80::1%eth0). */
export function authorityOf({ host, port }: HostPort): string {
  return writeAddress(host.replace(/%.*$/, ''), port);
}

export function writeAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Where others may reach a listener bound to `host`: the machine's addresses, IPv4 first (shorter ways through home
 * routers), link-local IPv6 left out (it means nothing on another machine); loopback where the machine has no other.
 */
export function reachableAddresses(host: string, port: number): readonly string[] {
  const everywhere = host === '::' || host === '0.0.0.0' || host === '';
  if (!everywhere) return [writeAddress(host, port)];
  const found: { readonly address: string; readonly rank: number }[] = [];
  for (const list of Object.values(machineAdapters())) {
    for (const { address, family, internal } of list ?? []) {
      if (internal || address.toLowerCase().startsWith('fe80:')) continue;
      if (family === 'IPv6' && host === '0.0.0.0') continue;
      found.push({ address, rank: family === 'IPv4' ? 0 : 1 });
    }
  }
  if (found.length === 0) return [writeAddress('127.0.0.1', port)];
  return found.sort((a, b) => a.rank - b.rank).map(({ address }) => writeAddress(address, port));
}

/** The machine's addresses by adapter; none where the system does not tell them, as Android tells no app. */
export function machineAdapters(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}
