/**
 * A workspace with a long past, made at once: real members, real signatures, written as stores that the production service opens.
 * Members write in turns, two at a time, each turn naming the heads of the one before, as people do who hear each other.
 */
import { randomBytes } from 'node:crypto';
import { concatBytes, fromBase64Url, fromHex, toHex } from '../../src/base/bytes.ts';
import type { DeltaId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { toUtf8 } from '../../src/base/utf8.ts';
import { SIGNATURE_BYTES, type Crypto } from '../../src/crypto/crypto.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate, type Certificate } from '../../src/protocol/certificate.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import type { DeviceSecrets } from '../../src/service/api.ts';
import { encodeRecord } from '../../src/service/records.ts';
import { openStore } from '../../src/store/store.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { signDelta, type Delta, type Signer } from '../../src/sync/delta.ts';
import { boxEpoch, epochOf, type Epoch } from '../../src/sync/epoch.ts';
import { newSecrets } from '../../src/worker/secrets.ts';

const crypto = nodeCrypto();
/** Claimed times: a second between one delta and the next, up to some days ago. */
const BEGAN = Date.UTC(2026, 0, 5);

export interface Entry {
  readonly tool: ToolId | undefined;
  readonly kind: string;
  readonly body: Value;
}

/** One account with one device, and what its feed has come to. */
export class Writer {
  readonly name: string;
  readonly secrets: DeviceSecrets = newSecrets();
  readonly certificate: Certificate;
  readonly signer: Signer;
  credential: DeltaId | undefined;
  /** Its own: a provider remembers the keys of one device, not of ten. */
  readonly #crypto = nodeCrypto();
  readonly #unsigned: Crypto = { ...this.#crypto, sign: () => new Uint8Array(SIGNATURE_BYTES) };
  #seq = 0;
  #prev: DeltaId | undefined;

  constructor(name: string) {
    this.name = name;
    const [account, signing, agreement] = [
      this.secrets.accountSeed,
      this.secrets.signingSeed,
      this.secrets.agreementSecret,
    ].map((secret) => fromBase64Url(secret)!) as [Uint8Array, Uint8Array, Uint8Array];
    const agreementKey = crypto.agreementKeyOf(agreement);
    this.certificate = issueCertificate(crypto, account, {
      signingSeed: signing,
      agreementKey,
      name: '',
      created: BEGAN,
    });
    this.signer = { device: this.certificate.device, seed: signing };
  }

  /** The next of its feed, after these of others. Without a signature it is authentic only before one that has one (D7). */
  write(
    workspace: WorkspaceId | undefined,
    deps: readonly DeltaId[],
    entry: Entry,
    time: number,
    unsigned = false,
  ): Delta {
    const delta = signDelta(unsigned ? this.#unsigned : this.#crypto, this.signer, workspace, {
      generation: 0,
      seq: ++this.#seq,
      prev: this.#prev,
      deps,
      credential: this.credential,
      time,
      ...entry,
    });
    this.#prev = delta.id;
    return delta;
  }

  /** The bytes of an unsigned delta of this writer, with its signature. */
  signed(workspace: WorkspaceId, { bytes }: Delta): Uint8Array {
    const decoded = decode(bytes);
    if (!decoded.ok) throw new Error('what a writer wrote can be read');
    const [content] = decoded.value as unknown as [Uint8Array, Uint8Array];
    const subject = concatBytes(toUtf8('coterie delta 1'), fromHex(workspace)!, content);
    return encode([content, this.#crypto.sign(this.signer.seed, subject)]);
  }
}

export class History {
  readonly members: readonly Writer[];
  readonly workspace: WorkspaceId;
  readonly epoch: Epoch;
  readonly chat = toHex(randomBytes(8)) as ToolId;
  readonly files = toHex(randomBytes(8)) as ToolId;
  /** Genesis, tools and admits: what everybody has from the beginning. */
  readonly control: readonly Delta[];
  #heads: readonly DeltaId[];
  #time = BEGAN;
  #turn = 0;
  /** Their own last is none of the heads that they name (D5). */
  readonly #lastBy = new Map<Writer, string>();

  constructor(names: readonly string[]) {
    this.members = names.map((name) => new Writer(name));
    const [founder, ...others] = this.members as [Writer, ...Writer[]];
    this.epoch = epochOf(crypto, randomBytes(32));
    const boxed = (writer: Writer) =>
      boxEpoch(crypto, this.epoch, [
        { device: writer.certificate.device, agreementKey: writer.certificate.agreementKey },
      ]);
    const entry = (kind: string, body: Value): Entry => ({ tool: undefined, kind, body });
    const salt = randomBytes(16);
    const birth = controlBody.genesis('Bench', founder.name, [founder.certificate], boxed(founder), salt);
    const genesis = founder.write(undefined, [], entry('genesis', birth), this.#tick());
    this.workspace = genesis.id as string as WorkspaceId;
    founder.credential = genesis.id;
    const control = [genesis];
    const say = (kind: string, body: Value): Delta => {
      const delta = founder.write(this.workspace, [], entry(kind, body), this.#tick());
      control.push(delta);
      return delta;
    };
    say('addTool', controlBody.addTool(this.chat, 'chat', 'Chat'));
    say('addTool', controlBody.addTool(this.files, 'files', 'Files'));
    for (const other of others) {
      const { account } = other.certificate;
      const body = controlBody.admit(
        account,
        Role.participant,
        other.name,
        [other.certificate],
        undefined,
        boxed(other),
      );
      other.credential = say('admit', body).id;
    }
    this.control = control;
    this.#lastBy.set(founder, control.at(-1)!.id);
    this.#heads = [control.at(-1)!.id];
  }

  #tick(): number {
    return (this.#time += 1_000);
  }

  /** So many deltas by these writers; `entry` makes the next one of a writer, whose earlier ones it may name. */
  *written(
    count: number,
    writers: readonly Writer[],
    entry: (writer: Writer, n: number) => Entry,
    noted: (writer: Writer, delta: Delta) => void = () => undefined,
    unsigned = false,
  ): Generator<Delta> {
    for (let n = 0; n < count;) {
      const pair = [writers[this.#turn % writers.length]!, writers[(this.#turn + 1) % writers.length]!];
      this.#turn += 2;
      const heads: DeltaId[] = [];
      for (const writer of new Set(pair)) {
        let last: DeltaId | undefined;
        for (let left = 1 + ((n * 7) % 12); left > 0 && n < count; left--, n++) {
          const delta = writer.write(
            this.workspace,
            last === undefined ? this.#depsOf(writer) : [],
            entry(writer, n),
            this.#tick(),
            unsigned,
          );
          noted(writer, delta);
          last = delta.id;
          yield delta;
        }
        if (last === undefined) continue;
        heads.push(last);
        this.#lastBy.set(writer, last);
      }
      this.#heads = heads;
    }
  }

  /** Every one of these says that he has all there is (L4), one after the other. */
  *acknowledged(writers: readonly Writer[]): Generator<Delta> {
    const entry: Entry = { tool: undefined, kind: 'ack', body: controlBody.ack() };
    for (const writer of writers) {
      const ack = writer.write(this.workspace, this.#depsOf(writer), entry, this.#tick());
      this.#lastBy.set(writer, ack.id);
      this.#heads = [ack.id];
      yield ack;
    }
  }

  /** Somebody else's delta, which has all of these in its past: the next to write names it alone (D5). */
  heard(delta: DeltaId): void {
    this.#heads = [delta];
  }

  #depsOf(writer: Writer): readonly DeltaId[] {
    return this.#heads.filter((head) => head !== this.#lastBy.get(writer));
  }
}

/** A post of 20 to 120 letters; every tenth is an edit of the writer's last. */
export function smallTalk(history: History): {
  readonly entry: (writer: Writer, n: number) => Entry;
  readonly noted: (writer: Writer, delta: Delta) => void;
} {
  const posts = new Map<Writer, DeltaId>();
  const text = (n: number): string => `${n} `.padEnd(20 + ((n * 37) % 100), 'what one says in passing ');
  return {
    entry: (writer, n) => {
      const post = n % 10 === 9 ? posts.get(writer) : undefined;
      if (post === undefined) return { tool: history.chat, kind: 'post', body: [text(n)] };
      return { tool: history.chat, kind: 'edit', body: [Buffer.from(post, 'hex'), text(n)] };
    },
    noted: (writer, delta) => {
      if (delta.kind === 'post') posts.set(writer, delta.id);
    },
  };
}

const APPEND = 5_000;

/** A store as its owner's service left it, but for the snapshot, which that service makes when it next opens. */
export async function writeStore(
  folder: string,
  owner: Writer,
  workspace: WorkspaceId,
  deltas: Iterable<Uint8Array>,
  local: Readonly<Record<string, Value>> = {},
): Promise<void> {
  const store = await openStore({ folder, key: fromBase64Url(owner.secrets.storeKey)!, crypto });
  await store.log.replay(() => undefined);
  const values: Readonly<Record<string, Value>> = { certificate: owner.certificate.bytes, ...local };
  await store.log.append(Object.entries(values).map(([key, value]) => encodeRecord({ kind: 'local', key, value })));
  let records: Uint8Array[] = [];
  for (const bytes of deltas) {
    records.push(encodeRecord({ kind: 'delta', workspace, bytes }));
    if (records.length < APPEND) continue;
    await store.log.append(records);
    records = [];
  }
  await store.log.append(records);
  await store.close();
}
