// What a run leaves for people to look at: out/e2e, not in git.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { out } from '../../../scripts/lib/project.mjs';

export function artifact(name: string): string {
  const folder = join(out, 'e2e');
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}
