// The package under test: made by `npm run package` (npm test makes it before it comes here).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/lib/project.mjs';

export const vsix = join(root, 'out', 'coterie.vsix');

if (!existsSync(vsix)) throw new Error('There is no out/coterie.vsix: run `npm run package` first.');
