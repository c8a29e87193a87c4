/** A benchmark answers with its headline figures, in the order of its last line, and with everything they were made of. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number>>;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** `say` tells the person who waits how it goes. */
export type Benchmark = (say: (word: string) => void) => Promise<Outcome>;
