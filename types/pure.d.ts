// What every realm has (node, browser, worker) but ECMAScript's own library does not name.
// Kept to pure functions: nothing in here may reach a clock, a disk, a network or a source of randomness.

declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean });
  decode(bytes?: ArrayBufferView | ArrayBuffer): string;
}

declare class URL {
  static canParse(url: string): boolean;
}
