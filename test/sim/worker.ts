/** Runs the worlds that it is told to, one after the other. */
import { parentPort } from 'node:worker_threads';
import { planWorld } from './plan.ts';
import type { Report } from './pool.ts';
import { runWorld } from './run-world.ts';

const port = parentPort!;
port.on('message', (seed: string) => {
  void runWorld(planWorld(seed)).then(({ violations, counts, deltas }) => {
    port.postMessage({ seed, deltas, violations, counts: counts.entries() } satisfies Report);
  });
});
