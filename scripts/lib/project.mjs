// Where things are in the project.
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** Everything a run leaves behind for a person to look at: reports, logs, screenshots. Not in git. */
export const out = join(root, 'out');

/**
 * A program of one of our own dependencies, to be run by node.
 * @param {string[]} path
 */
export const tool = (...path) => join(root, 'node_modules', ...path);
