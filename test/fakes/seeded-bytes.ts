/** Bytes that look random and are the same for a seed (xorshift32): files of tests, never keys. */
export function seededBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) | 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 11;
  }
  return bytes;
}

/** Text of numbered lines, like source code in that much of it repeats. */
export function seededText(bytes: number, seed: number): Uint8Array {
  const words = [
    'const',
    'return',
    'if',
    'else',
    'await',
    'for',
    'readonly',
    'value',
    'index',
    'of',
    '=>',
    '===',
    '{',
    '}',
  ];
  const random = seededBytes(bytes, seed);
  let text = '';
  for (let i = 0; text.length < bytes; i++) {
    text += `  ${words[random[i]! % words.length]}${random[i]! % 10 === 0 ? `;\n` : ''}`;
  }
  return new TextEncoder().encode(text.slice(0, bytes));
}
