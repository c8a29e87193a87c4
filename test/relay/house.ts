/** A relay in a fresh folder, and devices that are let go of afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRelay, type RelayOptions, type RunningRelay } from '../../src/relay/relay.ts';
import { Device, type Person } from './device.ts';

export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-relay-'));
  #relay: RunningRelay | undefined;
  readonly #devices: Device[] = [];

  get relay(): RunningRelay {
    if (!this.#relay) throw new Error('not started');
    return this.#relay;
  }

  async start(options: Partial<RelayOptions> = {}): Promise<RunningRelay> {
    this.#relay = await startRelay({ folder: this.folder, port: 0, ...options });
    return this.#relay;
  }

  /** The same data, another process as far as anyone can tell. */
  async restart(options: Partial<RelayOptions> = {}): Promise<RunningRelay> {
    await this.relay.stop();
    return this.start(options);
  }

  async connect(who: Person, payload?: Uint8Array): Promise<Device> {
    return this.#held(await Device.connect(who, this.relay.address, payload));
  }

  async member(who: Person): Promise<Device> {
    return this.#held(await Device.member(who, this.relay.address));
  }

  async subscriber(who: Person): Promise<Device> {
    return this.#held(await Device.subscriber(who, this.relay.address));
  }

  async end(): Promise<void> {
    for (const device of this.#devices) await device.end();
    await this.#relay?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #held(device: Device): Device {
    this.#devices.push(device);
    return device;
  }
}
