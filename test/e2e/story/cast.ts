/** Who plays: Alice and Bob, each in a VS Code of their own, and a relay that is a program of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalRelay } from '../../../scripts/start/relay.ts';
import { freePort, type Settings } from '../../../scripts/vscode/server.ts';
import { Person } from '../driver/person.ts';
import { vsix } from '../driver/vsix.ts';

export class Cast {
  readonly relay: LocalRelay;
  /** For what lies on no person's disk. */
  readonly folder: string;
  readonly #people: Person[] = [];

  private constructor(folder: string, relay: LocalRelay) {
    this.folder = folder;
    this.relay = relay;
  }

  get people(): readonly Person[] {
    return this.#people;
  }

  static async gather(...names: readonly string[]): Promise<Cast> {
    const folder = mkdtempSync(join(tmpdir(), 'cot-cast-'));
    const relay = new LocalRelay(join(folder, 'relay'));
    await relay.start();
    const cast = new Cast(folder, relay);
    const arrived = await Promise.allSettled(names.map((name) => cast.arrive(name)));
    // In the order of their names, whoever was there first.
    cast.#people.sort((a, b) => order(names, a) - order(names, b));
    const failed = arrived.find((one) => one.status === 'rejected');
    if (failed === undefined) return cast;
    await cast.leave();
    throw failed.reason;
  }

  /** One more, with a VS Code of their own. */
  async arrive(name: string, more: Settings = {}): Promise<Person> {
    const settings = {
      'coterie.displayName': name,
      'coterie.relay': this.relay.address,
      'coterie.directPort': await freePort(),
      'coterie.lanDiscovery': false,
      // What a window does of itself while it starts takes the focus: a person would open the palette again.
      'workbench.quickOpen.closeOnFocusLost': false,
      ...more,
    };
    const person = await Person.arrive(name.toLowerCase(), { vsix, settings });
    this.#people.push(person);
    return person;
  }

  async leave(): Promise<void> {
    await Promise.all(this.people.map((person) => person.leave()));
    await this.relay.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function order(names: readonly string[], person: Person): number {
  return names.findIndex((name) => name.toLowerCase() === person.name);
}
