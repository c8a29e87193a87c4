/** Who plays: Alice and Bob, each in a VS Code of their own, and a relay that is a program of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalRelay } from '../../../scripts/start/relay.ts';
import { freePort } from '../../../scripts/vscode/server.ts';
import { Person } from '../driver/person.ts';
import { vsix } from '../driver/vsix.ts';

export class Cast {
  readonly relay: LocalRelay;
  /** For what lies on no person's disk. */
  readonly folder: string;
  readonly people: readonly Person[];

  private constructor(folder: string, relay: LocalRelay, people: readonly Person[]) {
    this.folder = folder;
    this.relay = relay;
    this.people = people;
  }

  static async gather(...names: readonly string[]): Promise<Cast> {
    const folder = mkdtempSync(join(tmpdir(), 'cot-cast-'));
    const relay = new LocalRelay(join(folder, 'relay'));
    await relay.start();
    const arriving = names.map(async (name) => {
      const settings = {
        'coterie.displayName': name,
        'coterie.relay': relay.address,
        'coterie.directPort': await freePort(),
        'coterie.lanDiscovery': false,
        // What a window does of itself while it starts takes the focus: a person would open the palette again.
        'workbench.quickOpen.closeOnFocusLost': false,
      };
      return Person.arrive(name.toLowerCase(), { vsix, settings });
    });
    const arrived = await Promise.allSettled(arriving);
    const people = arrived.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const cast = new Cast(folder, relay, people);
    const failed = arrived.find((one) => one.status === 'rejected');
    if (failed === undefined) return cast;
    await cast.leave();
    throw failed.reason;
  }

  async leave(): Promise<void> {
    await Promise.all(this.people.map((person) => person.leave()));
    await this.relay.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
