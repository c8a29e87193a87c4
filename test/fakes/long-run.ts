/** How many times as many cases a fuzz has as in every run: `COTERIE_FUZZ_RUNS=100` for a long one. */
export const LONG_RUN_FACTOR = Number(process.env['COTERIE_FUZZ_RUNS'] ?? 1);
