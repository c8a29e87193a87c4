/**
 * How packets share a channel: each is cut into frames, and a frame of a more urgent lane goes before the rest of a long packet.
 *
 * Plaintext of a frame:
 *
 * | field | bytes | meaning |
 * | --- | --- | --- |
 * | header | 1 | bits 0–1: lane, 0 the most urgent; bit 7: the packet's last frame; the others are 0 |
 * | payload | ≤ 65,000 | the next bytes of that lane's packet |
 *
 * A frame that is not its packet's last is full, so a packet of 1 MiB has at most 17 frames and nobody can make a reader hold
 * thousands of crumbs. A packet of no bytes is one frame of the header alone.
 */
import { assert } from '../base/assert.ts';
import { joinBytes, releaseBytes } from '../base/bytes.ts';
import { err, ok, type Result } from '../base/result.ts';
import { MAX_FRAME_PAYLOAD_BYTES, MAX_MESSAGE_BYTES } from './limits.ts';

const LANES = 4;
const LANE_MASK = 0x03;
const LAST = 0x80;

export interface Packet {
  readonly lane: number;
  readonly bytes: Uint8Array;
}

/** What waits to be sent, by lane. Packets of one lane keep their order. */
export class PacketQueue {
  readonly #lanes: readonly Uint8Array[][] = Array.from({ length: LANES }, () => []);
  /** Bytes of each lane's first packet that have gone already. */
  readonly #sent: number[] = Array.from({ length: LANES }, () => 0);
  #bytes = 0;

  /** Payload that still waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The queue keeps the bytes and does not copy them: they must not change until they are gone. */
  push(lane: number, packet: Uint8Array): void {
    assert(Number.isInteger(lane) && lane >= 0 && lane < LANES, 'there are lanes 0 to 3');
    assert(packet.length <= MAX_MESSAGE_BYTES, 'a packet has at most MAX_MESSAGE_BYTES');
    this.#lanes[lane]!.push(packet);
    this.#bytes += packet.length;
  }

  /** The next frame's plaintext, of the most urgent lane that has one. */
  pull(): Uint8Array | undefined {
    const lane = this.#lanes.findIndex((packets) => packets.length > 0);
    const packet = this.#lanes[lane]?.[0];
    if (!packet) return undefined;
    const from = this.#sent[lane]!;
    const to = Math.min(from + MAX_FRAME_PAYLOAD_BYTES, packet.length);
    const last = to === packet.length;
    const frame = new Uint8Array(1 + to - from);
    frame[0] = lane | (last ? LAST : 0);
    frame.set(packet.subarray(from, to), 1);
    this.#sent[lane] = last ? 0 : to;
    if (last) this.#lanes[lane]!.shift();
    this.#bytes -= to - from;
    return frame;
  }

  clear(): void {
    for (const packets of this.#lanes) packets.length = 0;
    this.#sent.fill(0);
    this.#bytes = 0;
  }
}

export interface FrameError {
  readonly tag: 'badFrame' | 'tooLarge';
}

/** Puts frames together again, which are its own then; what it holds is bounded by one packet a lane. */
export class PacketAssembler {
  readonly #parts: readonly Uint8Array[][] = Array.from({ length: LANES }, () => []);

  /** The packet that this frame completes, or undefined where there is more to come. */
  take(frame: Uint8Array): Result<Packet | undefined, FrameError> {
    const header = frame[0];
    if (header === undefined || (header & ~(LANE_MASK | LAST)) !== 0) return err({ tag: 'badFrame' });
    const lane = header & LANE_MASK;
    const payload = frame.subarray(1);
    const parts = this.#parts[lane]!;
    // Every part but the last is full, so the count alone tells the bytes held.
    if (parts.length * MAX_FRAME_PAYLOAD_BYTES + payload.length > MAX_MESSAGE_BYTES) return err({ tag: 'tooLarge' });
    if ((header & LAST) === 0) {
      if (payload.length !== MAX_FRAME_PAYLOAD_BYTES) return err({ tag: 'badFrame' });
      parts.push(frame);
      return ok(undefined);
    }
    if (payload.length > MAX_FRAME_PAYLOAD_BYTES) return err({ tag: 'badFrame' });
    if (parts.length === 0) return ok({ lane, bytes: payload });
    const frames = [...parts.splice(0), frame];
    const bytes = joinBytes(frames.map((one) => one.subarray(1)));
    for (const one of frames) releaseBytes(one);
    return ok({ lane, bytes });
  }
}
