/**
 * Submits to one relay (R2, R4). A submit keeps its message id over every reconnect, so the relay knows a second copy.
 *
 * | the relay says | what follows |
 * | --- | --- |
 * | ok with a code for each recipient | those are the outcomes |
 * | not registered | registers once with the token of the address, then submits again |
 * | too fast, unavailable | again after a pause, SUBMIT_TRIES times in all |
 * | nothing: the connection was lost | durable: again on the next one, SUBMIT_TRIES times in all; ephemeral: `unavailable` |
 */
import { asCount, asList, type Value } from '../protocol/codec.ts';
import { MAX_MESSAGE_BYTES, RELAY_IN_FLIGHT_BYTES, RELAY_MAX_RECIPIENTS } from '../protocol/limits.ts';
import { Code, MESSAGE_ID_BYTES, type Recipient, type RelayRequest } from '../protocol/relay-messages.ts';
import { Lane, type Clock, type SubmitOutcome } from '../sync/ports.ts';
import { ByteGate } from './byte-gate.ts';
import type { RelayConnection, Reply } from './relay-connection.ts';

const SUBMIT_TRIES = 4;
const BUSY_RETRY_MS = 500;
/** CBOR heads, type, request id, message id and flags of a submit; and of one recipient. */
const HEAD_BYTES = 64;
const RECIPIENT_BYTES = 72;

export class RelayOutbox {
  readonly #connection: RelayConnection;
  readonly #clock: Clock;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #gate = new ByteGate(RELAY_IN_FLIGHT_BYTES);

  constructor(connection: RelayConnection, clock: Clock, randomBytes: (length: number) => Uint8Array) {
    this.#connection = connection;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** One outcome per recipient, in order. With room and a connection the request is on the socket when this returns. */
  async submit(
    recipients: readonly Recipient[],
    token: string,
    body: Uint8Array,
    ephemeral: boolean,
  ): Promise<readonly SubmitOutcome[]> {
    const room = Math.floor((MAX_MESSAGE_BYTES - HEAD_BYTES - body.length) / RECIPIENT_BYTES);
    if (room < 1) return recipients.map(() => 'tooLarge');
    const each = Math.min(room, RELAY_MAX_RECIPIENTS);
    const parts: Promise<readonly SubmitOutcome[]>[] = [];
    for (let from = 0; from < recipients.length; from += each) {
      parts.push(this.#submitOne(recipients.slice(from, from + each), token, body, ephemeral));
    }
    return (await Promise.all(parts)).flat();
  }

  async #submitOne(
    recipients: readonly Recipient[],
    token: string,
    body: Uint8Array,
    ephemeral: boolean,
  ): Promise<readonly SubmitOutcome[]> {
    const all = (outcome: SubmitOutcome) => recipients.map(() => outcome);
    const size = body.length + HEAD_BYTES + RECIPIENT_BYTES * recipients.length;
    if (!this.#gate.tryEnter(size)) {
      // What is only of use now does not wait in line.
      if (ephemeral) return all('unavailable');
      await this.#gate.enter(size);
    }
    try {
      const messageId = this.#randomBytes(MESSAGE_ID_BYTES);
      const reply = await this.#persist({ type: 'submit', messageId, ephemeral, recipients, body }, token, ephemeral);
      if (reply.type === 'tooLarge') return all('tooLarge');
      if (reply.type === 'down') return all('unavailable');
      if (reply.code !== Code.ok) return all(outcomeOf(reply.code));
      return readOutcomes(reply.value, recipients.length) ?? all('unavailable');
    } finally {
      this.#gate.leave(size);
    }
  }

  async #persist(request: RelayRequest, token: string, ephemeral: boolean): Promise<Reply> {
    const lane = ephemeral ? Lane.text : Lane.structured;
    let registered = false;
    for (let tries = 1; ; tries++) {
      if (!this.#connection.isReady && !(await this.#connection.open())) return { type: 'down' };
      const reply = await this.#connection.request(request, lane);
      if (reply.type === 'tooLarge' || tries === SUBMIT_TRIES) return reply;
      if (reply.type === 'down') {
        if (ephemeral) return reply;
      } else if (reply.code === Code.notRegistered && !registered) {
        registered = true;
        await this.#connection.request({ type: 'register', token }, Lane.control);
      } else if (!ephemeral && (reply.code === Code.tooFast || reply.code === Code.unavailable)) {
        await this.#pause(BUSY_RETRY_MS * tries);
      } else {
        return reply;
      }
    }
  }

  #pause(duration_ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.wakeAt(this.#clock.now() + duration_ms, resolve));
  }
}

function readOutcomes(value: Value, count: number): readonly SubmitOutcome[] | undefined {
  const codes = asList(value, RELAY_MAX_RECIPIENTS, (code) => asCount(code, Code.unavailable));
  return codes?.length === count ? codes.map((code) => outcomeOf(code as Code)) : undefined;
}

function outcomeOf(code: Code): SubmitOutcome {
  switch (code) {
    case Code.ok:
      return 'ok';
    case Code.full:
    case Code.quota:
      return 'full';
    case Code.tooLarge:
      return 'tooLarge';
    case Code.notRegistered:
      return 'notRegistered';
    case Code.refused:
    case Code.badRequest:
    case Code.notFound:
      return 'refused';
    case Code.tooFast:
    case Code.unavailable:
      return 'unavailable';
  }
}
