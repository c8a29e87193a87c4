/**
 * Whether something was so lately, by a clock that its person may set back: then nothing is known of the time that has gone by, and it was not. What waits so is done once
 * more often, and never waits till the clock has come to where it was.
 */
export function isRecent(at: number, lasts_ms: number, now: number): boolean {
  return now >= at && now < at + lasts_ms;
}
