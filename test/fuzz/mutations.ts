/**
 * Hostile bytes for decoders, drawn by fast-check: arbitrary ones, valid ones with their bytes changed, and valid CBOR with its
 * items changed, which comes much further into a reader than a flipped bit does.
 */
import fc from 'fast-check';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';

/** Bytes that stand for an item as they are: what `encode` would never write. */
class Raw {
  readonly bytes: Uint8Array;

  constructor(...bytes: readonly number[]) {
    this.bytes = Uint8Array.from(bytes);
  }
}

type Item = Value | Raw | readonly Item[];

const FULL = [0xff, 0xff, 0xff, 0xff] as const;

/** Heads that promise what does not follow. */
const PROMISES: readonly Raw[] = [
  new Raw(0x9a, ...FULL),
  new Raw(0x9a, 0x7f, 0xff, 0xff, 0xff),
  new Raw(0x9a, 0x00, 0xff, 0xff, 0xff),
  new Raw(0x9b, 0x00, 0x1f, 0xff, 0xff, ...FULL),
  new Raw(0x9b, ...FULL, ...FULL),
  new Raw(0x5a, ...FULL),
  new Raw(0x5a, 0x7f, 0xff, 0xff, 0xff),
  new Raw(0x5a, 0x40, 0, 0, 0),
  new Raw(0x5b, 0x00, 0x1f, 0xff, 0xff, ...FULL),
  new Raw(0x7a, ...FULL),
  new Raw(0x7b, 0x80, 0, 0, 0, 0, 0, 0, 0),
  new Raw(0xba, ...FULL),
];

/** Items of CBOR that have no place in ours, and ours in other forms (RFC 8949 §3, §4.2). */
const FOREIGN: readonly Raw[] = [
  new Raw(0x18, 0x05),
  new Raw(0x19, 0x00, 0x05),
  new Raw(0x1a, 0, 0, 0, 5),
  new Raw(0x1b, 0, 0, 0, 0, 0, 0, 0, 5),
  new Raw(0x38, 0x00),
  new Raw(0x58, 0x01, 0x61),
  new Raw(0x78, 0x01, 0x61),
  new Raw(0x98, 0x01, 0x00),
  new Raw(0x1b, 0x00, 0x20, 0, 0, 0, 0, 0, 0), // 2^53
  new Raw(0x1b, ...FULL, ...FULL),
  new Raw(0x3b, ...FULL, ...FULL),
  new Raw(0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0), // 2^64 as a bigint
  new Raw(0xc3, 0x41, 0x05),
  new Raw(0xf9, 0x7e, 0x00), // NaN
  new Raw(0xf9, 0x3c, 0x00), // 1.0
  new Raw(0xf9, 0x80, 0x00), // -0.0
  new Raw(0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0), // infinity
  new Raw(0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a),
  new Raw(0xf7),
  new Raw(0xf8, 0xff),
  new Raw(0x9f, 0x01, 0xff),
  new Raw(0x5f, 0x41, 0x00, 0xff),
  new Raw(0x7f, 0x61, 0x61, 0xff),
  new Raw(0xbf, 0xff),
  new Raw(0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02), // a key twice
  new Raw(0xc1, 0x00),
  new Raw(0xd9, 0xd9, 0xf7, 0x00), // a tag that says it is CBOR
  new Raw(0xff),
  new Raw(0x62, 0xc3, 0x28), // no UTF-8
  new Raw(0x63, 0xed, 0xa0, 0x80), // half a surrogate pair
];

const nested = (depth: number, head: number): Raw => new Raw(...new Uint8Array(depth).fill(head), 0x00);

/** Deep, and cut: an item that a recursive reader would end on. */
const DEEP: readonly Raw[] = [
  nested(11, 0x81),
  nested(13, 0x81),
  nested(5_000, 0x81),
  nested(5_000, 0x9f),
  nested(5_000, 0xc1),
];

/** Values within the codec that a reader of ours may not expect. */
const ODD: readonly Value[] = [
  null,
  true,
  false,
  0,
  1,
  2,
  3,
  -1,
  255,
  65_536,
  2 ** 31,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  '\0',
  '\ufeff',
  '\u202e',
  '__proto__',
  'constructor',
  'a'.repeat(300),
  '水'.repeat(100),
  '😀'.repeat(64),
  new Uint8Array(0),
  new Uint8Array(8),
  new Uint8Array(31),
  new Uint8Array(32),
  new Uint8Array(32).fill(255),
  new Uint8Array(33),
  new Uint8Array(64),
  [],
  [[]],
  [[[]]],
  [null],
  [new Uint8Array(32)],
  [new Uint8Array(32), new Uint8Array(32)],
  Array.from({ length: 200 }, () => new Uint8Array(32)),
  Array.from({ length: 3_000 }, () => 0),
];

/** What is put in an item's place, and stands alone as an input of its own. */
const LEAVES: readonly Item[] = [...ODD, ...FOREIGN, ...PROMISES, ...DEEP];

/** Each odd thing alone, then wrapped in an array of one to twelve fields: what an attacker would try by hand. */
export function byHand(): readonly Uint8Array[] {
  const alone = LEAVES.map(write);
  const wrapped = LEAVES.flatMap((leaf) =>
    [1, 2, 3, 7, 11].map((count) => write(Array.from({ length: count }, () => leaf))),
  );
  const long = [0x00, 0x40, 0x60, 0x80, 0x81, 0xff].map((byte) => new Uint8Array(65_536).fill(byte));
  return [new Uint8Array(0), ...alone, ...wrapped, ...long];
}

// ---- bytes ---------------------------------------------------------------------------------------------------------------

type Change = (bytes: Uint8Array) => Uint8Array;

const place = (bytes: Uint8Array, at: number): number => (bytes.length === 0 ? 0 : at % bytes.length);

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const from = place(bytes, at);
  return Uint8Array.from([...bytes.subarray(0, from), ...insert, ...bytes.subarray(from + remove)]);
}

const short = fc.nat({ max: 40 });
const byteChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 7 })).map(
    ([at, bit]): Change =>
      (bytes) =>
        bytes.with(place(bytes, at), (bytes[place(bytes, at)] ?? 0) ^ (1 << bit)),
  ),
  fc.tuple(fc.nat(), fc.constantFrom(0, 1, 23, 24, 25, 26, 27, 31, 127, 128, 255)).map(
    ([at, byte]): Change =>
      (bytes) =>
        bytes.with(place(bytes, at), byte),
  ),
  // A length one more or one less than what follows.
  fc.tuple(fc.nat(), fc.constantFrom(-1, 1)).map(
    ([at, by]): Change =>
      (bytes) =>
        bytes.with(place(bytes, at), (bytes[place(bytes, at)] ?? 0) + by),
  ),
  fc.nat().map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, place(bytes, at)),
  ),
  fc.tuple(fc.nat(), short).map(
    ([at, length]): Change =>
      (bytes) =>
        spliced(bytes, at, length, new Uint8Array(0)),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 })).map(
    ([at, insert]): Change =>
      (bytes) =>
        spliced(bytes, at, 0, insert),
  ),
  fc.tuple(fc.nat(), short).map(
    ([at, length]): Change =>
      (bytes) =>
        spliced(bytes, at, 0, bytes.subarray(place(bytes, at), place(bytes, at) + length)),
  ),
  fc.tuple(fc.nat(), fc.constantFrom(...LEAVES)).map(
    ([at, leaf]): Change =>
      (bytes) =>
        spliced(bytes, at, 1, write(leaf)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map(
    (tail): Change =>
      (bytes) =>
        Uint8Array.from([...bytes, ...tail]),
  ),
);

/** One of these with one to three changes of its bytes. */
export function changedBytes(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(byteChange, { minLength: 1, maxLength: 3 });
  return fc.tuple(fc.constantFrom(...valid), changes).map(([bytes, all]) => {
    let changed = new Uint8Array(bytes);
    for (const change of all) if (changed.length > 0) changed = new Uint8Array(change(changed));
    return changed;
  });
}

// ---- items ---------------------------------------------------------------------------------------------------------------

const isList = (item: Item): item is readonly Item[] => Array.isArray(item);
const count = (item: Item): number => (isList(item) ? item.reduce<number>((sum, one) => sum + count(one), 1) : 1);

/** The tree with its item number `at` (in the order they stand) made another: none, one or several. */
function replaced(item: Item, at: number, by: (item: Item) => readonly Item[]): readonly Item[] {
  if (at === 0) return by(item);
  if (!isList(item)) return [item];
  const items: Item[] = [];
  let left = at - 1;
  for (const one of item) {
    const size = count(one);
    if (left >= 0 && left < size) items.push(...replaced(one, left, by));
    else items.push(one);
    left -= size;
  }
  return [items];
}

function nudged(item: Item, by: number): Item {
  if (typeof item === 'number') return Number.isSafeInteger(item + by) ? item + by : 0;
  if (typeof item === 'string') return by > 0 ? item + 'a'.repeat(by) : item.slice(0, by);
  if (typeof item === 'boolean') return !item;
  if (item instanceof Uint8Array) return by > 0 ? Uint8Array.from([...item, ...new Uint8Array(by)]) : item.slice(0, by);
  if (isList(item)) return by > 0 ? [...item, ...item.slice(0, by)] : item.slice(0, by);
  return 0;
}

function flipped(item: Item, at: number): Item {
  if (!(item instanceof Uint8Array) || item.length === 0) return nudged(item, 1);
  return item.with(at % item.length, item[at % item.length]! ^ 1);
}

type ItemChange = (item: Item) => readonly Item[];

const itemChange: fc.Arbitrary<ItemChange> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LEAVES).map((leaf): ItemChange => () => [leaf]) },
  { weight: 3, arbitrary: fc.constantFrom(-1, 1, 2, 250).map((by): ItemChange => (item) => [nudged(item, by)]) },
  { weight: 2, arbitrary: fc.nat().map((at): ItemChange => (item) => [flipped(item, at)]) },
  { weight: 1, arbitrary: fc.constant<ItemChange>(() => []) },
  { weight: 1, arbitrary: fc.constant<ItemChange>((item) => [item, item]) },
  { weight: 1, arbitrary: fc.constant<ItemChange>((item) => [[item]]) },
  { weight: 1, arbitrary: fc.constant<ItemChange>((item) => (isList(item) ? item : [item])) },
  { weight: 1, arbitrary: fc.constant<ItemChange>((item) => (isList(item) ? [item.toReversed()] : [item])) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes): ItemChange => () => [bytes]) },
);

/** One of these, all of them CBOR, with one to three of its items changed; its lengths are made to fit again. */
export function changedItems(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const trees = valid.map((bytes): Item => {
    const decoded = decode(bytes);
    if (!decoded.ok) throw new Error('what is to be changed by its items is CBOR');
    return decoded.value;
  });
  const changes = fc.array(fc.tuple(fc.nat(), itemChange), { minLength: 1, maxLength: 3 });
  return fc.tuple(fc.constantFrom(...trees), changes).map(([tree, all]) => {
    let changed: readonly Item[] = [tree];
    for (const [at, change] of all) {
      const [root = null, ...rest] = changed;
      changed = [...replaced(root, at % count(root), change), ...rest];
    }
    return concat(changed.map(write));
  });
}

function write(item: Item): Uint8Array {
  if (item instanceof Raw) return item.bytes;
  if (!isList(item)) return encode(item);
  // The head of an array of so many, with the items as they are behind it.
  const head = encode(Array.from({ length: item.length }, () => 0)).subarray(0, -item.length || undefined);
  return concat([head, ...item.map(write)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
