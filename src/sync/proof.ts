/**
 * Whether what has come is authentic (D7): the chain of a run holds, and its last delta carries a signature that stands. What was proved so is
 * remembered until it is taken in: others are given runs that end with such a one (S2).
 */
import type { DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { checkSignature, isAck, isGenesis, type Delta, type DeltaReader, type KnownDeltas } from './delta.ts';
import type { Graph } from './graph.ts';

export interface IngestFault {
  readonly tag: 'badDelta' | 'badSignature' | 'brokenChain' | 'fork' | 'overflow' | 'badBase';
  readonly device: DeviceId | undefined;
}

export interface ProofOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reader: DeltaReader;
  readonly graph: Graph;
  /** D8: of a device that has shown two histories nothing is taken that nobody wants, and no signature of it is looked at. */
  readonly isRefused: (run: readonly Delta[]) => boolean;
}

export class Proof {
  readonly #options: ProofOptions;
  /** Ends of runs whose signature was checked, until they are taken in. */
  readonly #proven = new Set<DeltaId>();

  constructor(options: ProofOptions) {
    this.#options = options;
  }

  /** The run's deltas where its chain holds and its last signature stands. A known last one was checked already (S3), if not what is before it. */
  read(run: readonly Uint8Array[]): Result<readonly Delta[], IngestFault> {
    const { crypto, workspace, graph, isRefused } = this.#options;
    const chain = this.#chainOf(run);
    const last = chain.ok ? chain.value.at(-1) : undefined;
    if (!chain.ok || !last) return chain;
    const isKnown = graph.has(last.id);
    if (!isKnown && isRefused(chain.value)) return err({ tag: 'fork', device: last.device });
    const isSound = chain.value.every((delta) => delta === last || this.#standsAlone(delta));
    const isProved = isKnown || (isSound && checkSignature(crypto, workspace, last));
    if (!isSound || !isProved) return err({ tag: 'badSignature', device: last.device });
    if (!isKnown) this.#proven.add(last.id);
    return chain;
  }

  #chainOf(run: readonly Uint8Array[]): Result<readonly Delta[], IngestFault> {
    const { workspace, reader } = this.#options;
    const deltas: Delta[] = [];
    let known: KnownDeltas | undefined = this.#held;
    for (const bytes of run) {
      const read = reader.read(bytes, known);
      if (!read.ok) return err({ tag: 'badDelta', device: undefined });
      const delta = read.value;
      // What comes after one that is not here is not here whole either, but on a branch: that is read again. It may wait for it, as it came first.
      if (delta.bytes === bytes) known = this.#options.graph.waiting > 0 ? this.#waits : undefined;
      // Another workspace's genesis is authentic in any: taken for a part of this one it would look like a fork (D8).
      if (isGenesis(delta) && (delta.id as string) !== workspace) return err({ tag: 'badDelta', device: delta.device });
      const last = deltas.at(-1);
      if (last && !follows(delta, last)) return err({ tag: 'brokenChain', device: delta.device });
      deltas.push(delta);
    }
    return ok(deltas);
  }

  /** A delta that is here whole: of a copy no more is read (S3). */
  readonly #held = (id: DeltaId): Delta | undefined => {
    const delta = this.#options.graph.get(id)?.delta;
    return delta && delta.bytes.length > 0 ? delta : this.#waits(id);
  };

  readonly #waits = (id: DeltaId): Delta | undefined => this.#options.graph.waitingDelta(id);

  /** A control delta outlives those that could prove it (L4), so it needs a signature of its own that stands. */
  #standsAlone(delta: Delta): boolean {
    const { crypto, workspace, graph } = this.#options;
    if (delta.tool !== undefined || isAck(delta) || graph.has(delta.id)) return true;
    return checkSignature(crypto, workspace, delta);
  }

  /** Whether it is proved by its own signature. */
  stands(delta: Delta): boolean {
    const { crypto, workspace } = this.#options;
    return this.#proven.has(delta.id) || checkSignature(crypto, workspace, delta);
  }

  /** It is taken in, or never will be. Answers whether it was proved by its own signature. */
  settle({ id }: Delta): boolean {
    return this.#proven.delete(id);
  }
}

function follows({ feed, prev, seq }: Delta, last: Delta): boolean {
  return last.feed === feed && prev === last.id && seq === last.seq + 1;
}
