// What a stage of `npm test` is, and how it is told.

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export interface Stage {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

/** Runs a stage under its heading. A stage that breaks, and one that ran no test at all, has failed. */
export async function tell({ name, run }: Stage): Promise<Counts> {
  const start = performance.now();
  console.log(`\n===== ${name} =====`);
  const counts = await run().catch((error: unknown) => {
    console.log(error instanceof Error ? error.message : String(error));
    return { passed: 0, failed: 1 };
  });
  const ran = counts.passed + counts.failed > 0;
  if (!ran) console.log('No test ran: that cannot be right.');
  const { passed, failed } = ran ? counts : { passed: 0, failed: 1 };
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${name}: ${passed} passed, ${failed} failed (${seconds} s)`);
  return { passed, failed };
}

export function sum(all: readonly Counts[]): Counts {
  return all.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), { passed: 0, failed: 0 });
}
