/**
 * `npm run -s authority -- world.json`: what the production engine makes of a world (authority/world.ts says its form). Prints
 * `{"accepted":[ids],"members":{name:role},"order":[ids sorted by their real delta ids]}`. Exit status 2 for a world that is none.
 */
import { readFileSync } from 'node:fs';
import { Stage } from './authority/stage.ts';
import { readWorld, WorldError } from './authority/world.ts';

const [path] = process.argv.slice(2);
try {
  if (path === undefined) throw new WorldError('npm run -s authority -- world.json');
  console.log(JSON.stringify(new Stage().play(readWorld(readFileSync(path, 'utf8')))));
} catch (error) {
  if (!(error instanceof WorldError) && !(error instanceof Error && 'code' in error)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
