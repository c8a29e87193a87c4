/** Devices for transports to be: keys from a number, so that a test's devices are the same in every run. */
import type { Crypto } from '../../src/crypto/crypto.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { DeviceId } from '../../src/base/ids.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import type { Timekeeping } from '../../src/relay-client/steady-clock.ts';
import type { Clock } from '../../src/sync/ports.ts';
import { createTransport, type NetworkTransport, type TransportOptions } from '../../src/relay-client/transport.ts';

export const crypto = nodeCrypto();

export interface TestDevice {
  readonly device: DeviceId;
  readonly certificate: Uint8Array;
  readonly agreementSecret: Uint8Array;
}

export function makeDevice(number: number): TestDevice {
  const secret = (what: number) => crypto.sha256(Uint8Array.of(what, number >> 8, number & 255));
  const agreementSecret = secret(3);
  const certificate = issueCertificate(crypto, secret(1), {
    signingSeed: secret(2),
    agreementKey: crypto.agreementKeyOf(agreementSecret),
    name: `device ${number}`,
    created: 1_700_000_000_000,
  });
  return { device: certificate.device, certificate: certificate.bytes, agreementSecret };
}

/** Two devices, the lower id first. */
export function makePair(number = 1): readonly [TestDevice, TestDevice] {
  const pair = [makeDevice(2 * number), makeDevice(2 * number + 1)] as const;
  return pair[0].device < pair[1].device ? pair : [pair[1], pair[0]];
}

/** On loopback, at a port of its own, without LAN. */
export function makeTransport(device: TestDevice, options: Partial<TransportOptions> = {}): NetworkTransport {
  return createTransport({
    crypto,
    certificate: device.certificate,
    agreementSecret: device.agreementSecret,
    directPort: 'ephemeral',
    host: '127.0.0.1',
    lanDiscovery: false,
    random: () => 0.5,
    ...options,
  });
}

/** Of a machine that has no randomness to give while `fails` says so: no handshake can begin. */
export class FaultyCrypto {
  fails = false;
  faults = 0;
  readonly crypto: Crypto = {
    ...crypto,
    randomBytes: (length) => {
      if (!this.fails) return crypto.randomBytes(length);
      this.faults++;
      throw new Error('no randomness');
    },
  };
}

/** Real time until it is wound forward: what waits for minutes is tested in milliseconds. */
export class SkippingClock implements Clock {
  #ahead_ms = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly callback: () => void; timer: NodeJS.Timeout }>();

  now(): number {
    return Date.now() + this.#ahead_ms;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const wake = { at, callback, timer: setTimeout(() => run(), Math.max(0, at - this.now())) };
    const run = () => {
      this.#waiting.delete(wake);
      callback();
    };
    this.#waiting.add(wake);
    return () => {
      clearTimeout(wake.timer);
      this.#waiting.delete(wake);
    };
  }

  skip(duration_ms: number): void {
    this.#ahead_ms += duration_ms;
    for (const wake of [...this.#waiting].sort((a, b) => a.at - b.at)) {
      if (wake.at > this.now() || !this.#waiting.has(wake)) continue;
      clearTimeout(wake.timer);
      this.#waiting.delete(wake);
      wake.callback();
    }
  }
}

/** A machine whose clock may be set, and which may sleep: in both the wall clock leaps, and the steady one and the timers do not. */
export class SettableMachine implements Timekeeping {
  readonly #time = new SkippingClock();
  #set_ms = 0;

  wall_ms(): number {
    return this.#time.now() + this.#set_ms;
  }

  steady_ms(): number {
    return this.#time.now();
  }

  after(duration_ms: number, callback: () => void): () => void {
    return this.#time.wakeAt(this.#time.now() + duration_ms, callback);
  }

  skip(duration_ms: number): void {
    this.#time.skip(duration_ms);
  }

  leap(by_ms: number): void {
    this.#set_ms += by_ms;
  }
}
