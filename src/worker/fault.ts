/** For whoever mends it: where, and not what, since a message may hold names. */
export function reportFault(error: unknown): void {
  const where = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  console.error(
    ['coterie: a fault in the worker', error instanceof Error ? error.name : typeof error, ...where].join('\n'),
  );
}
