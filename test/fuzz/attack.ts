/**
 * What is asked of every decoder, and measured on every input:
 *
 * 1. It answers, and throws nothing.
 * 2. What it took can be written again, to the same bytes; what has another form was refused (D4).
 * 3. It allocates in proportion to what came, whatever lengths stand in it.
 * 4. It needs a bounded time.
 *
 * Inputs come from fixed seeds. `COTERIE_FUZZ_RUNS=100` makes them a hundred times as many, `COTERIE_FUZZ_SEED=7` others; what fails says
 * which seed it came from.
 */
import assert from 'node:assert/strict';
import { getHeapStatistics } from 'node:v8';
import { LONG_RUN_FACTOR } from '../fakes/long-run.ts';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { toHex } from '../../src/base/bytes.ts';
import { byHand, changedBytes, changedItems } from './mutations.ts';

export interface Target {
  /** Begins with the id of a rule. */
  readonly name: string;
  /**
   * Undefined where it refuses; what it read, written again, where it takes it; `true` where that has no other form to be written in.
   */
  readonly read: (bytes: Uint8Array) => Uint8Array | true | undefined;
  /** Every kind that there is. All are taken. */
  readonly valid: readonly Uint8Array[];
  /** Not CBOR: only its bytes are changed. */
  readonly opaque?: boolean;
  /** Of each kind of input; 300 unless said. */
  readonly runs?: number;
  /** Some changes leave a valid input valid; false where none does, as under a signature. */
  readonly survivors?: boolean;
}

const SEED = Number(process.env['COTERIE_FUZZ_SEED'] ?? 1);

/** A value of CBOR takes more room than its byte: an empty array, a text of one letter, an id in hexadecimal. */
const BYTES_PER_BYTE = 512;
/** Curve arithmetic in bigints makes a megabyte of garbage; what a head promises by hand is sixteen at least. */
const BYTES_AT_REST = 4 * 1024 * 1024;
/** Of the thread's own time, so that a busy machine proves nothing; some inputs have 64 KiB. */
const MOST_MS = 400;

/** Options of a property: the same inputs in every run, unless others are asked for. */
export function fixed(seed: number, runs = 300): { seed: number; numRuns: number } {
  return { seed: seed * 7919 + SEED, numRuns: Math.ceil(runs * LONG_RUN_FACTOR) };
}

/** What a test of so many runs may take before it counts as hanging. */
export const TIMEOUT_MS = 60_000 * Math.max(1, LONG_RUN_FACTOR);

export function attack(target: Target): void {
  describe(target.name, function () {
    this.timeout(TIMEOUT_MS);

    it('takes what is valid, and writes it the same', () => {
      for (const bytes of target.valid) assert.notEqual(tried(target, bytes), 'refused', shown(bytes));
    });

    it('answers what is made up by hand: promises, depths, foreign forms', () => {
      for (const bytes of byHand()) tried(target, bytes);
    });

    it('answers arbitrary bytes', () => {
      const input = fc.uint8Array({ maxLength: 200 });
      fc.assert(
        fc.property(input, (bytes) => void tried(target, bytes)),
        fixed(1, target.runs),
      );
    });

    it('answers valid bytes that were changed', () => {
      const taken = survey(target, changedBytes(target.valid), 2);
      assert.ok(taken.refused > 0, 'nothing was refused: the check was empty');
    });

    if (target.opaque !== true) {
      it('answers valid items that were changed', () => {
        const taken = survey(target, changedItems(target.valid), 3);
        assert.ok(taken.refused > 0, 'nothing was refused: the check was empty');
        assert.ok(taken.taken > 0 || target.survivors === false, 'nothing was taken: the check was empty');
      });
    }
  });
}

function survey(target: Target, input: fc.Arbitrary<Uint8Array>, seed: number) {
  const counts = { taken: 0, refused: 0 };
  const check = fc.property(input, (bytes) => void counts[tried(target, bytes)]++);
  fc.assert(check, fixed(seed, target.runs));
  return counts;
}

function tried({ read }: Target, bytes: Uint8Array): 'taken' | 'refused' {
  const again = bounded(bytes.length, () => read(bytes));
  if (again instanceof Uint8Array)
    assert.equal(toHex(again), toHex(bytes), 'it has another form than it was written in');
  return again === undefined ? 'refused' : 'taken';
}

/** Does the work, and asserts what it may cost for so many bytes of input. */
export function bounded<T>(inputBytes: number, work: () => T): T {
  const cpu = process.threadCpuUsage();
  const before = allocated();
  const answer = work();
  // A collection in between only makes it less; a buffer of a promised size would be there still, or have been collected by itself.
  const bytes = allocated() - before;
  const { user, system } = process.threadCpuUsage(cpu);
  assert.ok(bytes <= BYTES_PER_BYTE * inputBytes + BYTES_AT_REST, `${inputBytes} bytes made it allocate ${bytes}`);
  const ms = (user + system) / 1000;
  assert.ok(ms <= MOST_MS, `${inputBytes} bytes took ${ms} ms`);
  return answer;
}

function allocated(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function shown(bytes: Uint8Array): string {
  return toHex(bytes).slice(0, 120);
}
