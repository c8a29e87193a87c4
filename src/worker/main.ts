/** Entry of the worker thread that holds service, engine, store and transport. */
import { parentPort } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { composeService } from './compose.ts';
import { runWorker } from './run.ts';

assert(parentPort, 'this is a worker thread');
void runWorker(parentPort, composeService);
