/**
 * The content of a frame (socket-port.ts): a value with its bytes beside it, so that a large file is neither copied into
 * the serialisation nor out of it.
 *
 * | bytes | what |
 * |---|---|
 * | 4 | length of the head, big endian |
 * | length | the value as node:v8 serialises it; where it holds bytes there stand their offset and length |
 * | rest | the bytes, one after another |
 */
import { Deserializer, Serializer } from 'node:v8';

export const HEAD_LENGTH_BYTES = 4;

/** Throws where structured clone would, and for views of bytes that are not a Uint8Array. */
export function encodeValue(value: unknown): {
  readonly head: Buffer;
  readonly bytes: readonly Uint8Array[];
  readonly length: number;
} {
  const encoder = new ValueEncoder();
  encoder.writeHeader();
  encoder.writeValue(value);
  const body = encoder.releaseBuffer();
  const head = Buffer.allocUnsafe(HEAD_LENGTH_BYTES);
  head.writeUInt32BE(body.length);
  const length = HEAD_LENGTH_BYTES + body.length + encoder.bytesLength;
  return { head: Buffer.concat([head, body]), bytes: encoder.bytes, length };
}

/** Throws where it is no such value. Bytes in it are views of the frame. */
export function decodeValue(frame: Uint8Array): unknown {
  if (frame.length < HEAD_LENGTH_BYTES) throw new Error('a frame without a head');
  const headEnd = HEAD_LENGTH_BYTES + new DataView(frame.buffer, frame.byteOffset).getUint32(0);
  if (headEnd > frame.length) throw new Error('the head of a frame is longer than the frame');
  const decoder = new ValueDecoder(frame.subarray(HEAD_LENGTH_BYTES, headEnd), frame.subarray(headEnd));
  decoder.readHeader();
  return decoder.readValue();
}

class ValueEncoder extends Serializer {
  /** Node documents it, its types do not. */
  declare readonly _setTreatArrayBufferViewsAsHostObjects: (flag: boolean) => void;
  readonly bytes: Uint8Array[] = [];
  bytesLength = 0;

  constructor() {
    super();
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }

  /** Called by the base for every view. */
  _writeHostObject(view: object): void {
    if (!(view instanceof Uint8Array)) throw new TypeError('only bytes travel as bytes');
    this.writeUint32(this.bytesLength);
    this.writeUint32(view.length);
    this.bytes.push(view);
    this.bytesLength += view.length;
  }

  /** Called by the base where something cannot be cloned. */
  _getDataCloneError(message: string): Error {
    return new TypeError(message);
  }
}

class ValueDecoder extends Deserializer {
  readonly #bytes: Uint8Array;

  constructor(head: Uint8Array, bytes: Uint8Array) {
    super(head);
    this.#bytes = bytes;
  }

  /** Called by the base where a view stands. */
  _readHostObject(): Uint8Array {
    const offset = this.readUint32();
    const length = this.readUint32();
    if (offset + length > this.#bytes.length) throw new Error('bytes beyond the frame');
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + offset, length);
  }
}
