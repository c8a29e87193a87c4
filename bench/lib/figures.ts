/** Samples into figures. Percentiles are by nearest rank: each is a sample that was measured. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

export function summary(samples: readonly number[]) {
  return {
    count: samples.length,
    min: rounded(Math.min(...samples)),
    p50: rounded(percentile(samples, 50)),
    p90: rounded(percentile(samples, 90)),
    p99: rounded(percentile(samples, 99)),
    max: rounded(Math.max(...samples)),
  };
}

/** Monotonic, and the same clock in every process of one machine. */
export const now_ms = (): number => Number(process.hrtime.bigint()) / 1e6;
