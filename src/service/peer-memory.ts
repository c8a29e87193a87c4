/** What another device is known to hold, as it is kept across a restart: `[[feed text, seq] …]`. */
import type { FeedId } from '../base/ids.ts';
import { asArray, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import type { Mark } from '../sync/peer.ts';

const MAX_MARKS = 65_536;
const MAX_FEED_TEXT = 80;

export function writeMarks(marks: readonly Mark[]): Value {
  return marks.map(({ feed, seq }) => [feed, seq]);
}

export function readMarks(value: Value | undefined): readonly Mark[] {
  const marks = asList(value, MAX_MARKS, (entry) => {
    const pair = asArray(entry, 2);
    const [feed, seq] = [asText(pair?.[0], MAX_FEED_TEXT), asCount(pair?.[1])];
    return feed !== undefined && seq !== undefined ? { feed: feed as FeedId, seq } : undefined;
  });
  return marks ?? [];
}
