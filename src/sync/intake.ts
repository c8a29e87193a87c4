/**
 * The taking in of what comes from others, or back from the disk: which runs are looked at, in which order their deltas go into the graph, and what of
 * them is not taken. Each that is added enters the copy at once, by its one door.
 */
import type { DeltaId, DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_LOOKS_A_BATCH } from '../protocol/limits.ts';
import type { Delta, DeltaReader } from './delta.ts';
import type { Endings } from './endings.ts';
import type { Graph, Node } from './graph.ts';
import type { OutOfStep } from './out-of-step.ts';
import type { OwnFeed } from './own-feed.ts';
import type { PassedBy } from './passed-by.ts';
import { Proof, type IngestFault } from './proof.ts';
import type { Roster } from './roster.ts';
import type { Serving } from './serving.ts';
import type { ToldWords } from './told-words.ts';
import type { WantedBy } from './waiting.ts';

export interface IntakeOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reader: DeltaReader;
  readonly graph: Graph;
  readonly own: OwnFeed;
  readonly endings: Endings;
  readonly toldWords: ToldWords;
  readonly passedBy: PassedBy;
  readonly outOfStep: OutOfStep;
  readonly serving: Serving;
  /** The words by which this device comes in (I4, L7), as long as it waits for one. */
  readonly entrances: () => readonly DeltaId[];
  /** The one door. `isRecut`: by this one what stands aside may be other deltas than before (D2, D8). */
  readonly enter: (node: Node, isRecut: boolean) => void;
}

const NONE: readonly never[] = [];

/** What has come of a batch. */
export interface Taken {
  /** Newly held, in the order they came in; to be made durable, then told. */
  readonly added: readonly Node[];
  /** Where each authentic run ended, known or new: what its sender holds. */
  readonly heard: readonly { readonly feed: FeedId; readonly seq: number }[];
  readonly faults: readonly IngestFault[];
}

/** Where that is put together. */
interface Batch {
  readonly added: Node[];
  readonly heard: { readonly feed: FeedId; readonly seq: number }[];
  readonly faults: IngestFault[];
}

export class Intake {
  readonly #proof: Proof;
  readonly #graph: Graph;
  readonly #own: OwnFeed;
  readonly #endings: Endings;
  readonly #toldWords: ToldWords;
  readonly #passedBy: PassedBy;
  readonly #outOfStep: OutOfStep;
  readonly #serving: Serving;
  readonly #entrances: () => readonly DeltaId[];
  readonly #enter: (node: Node, isRecut: boolean) => void;
  readonly #wanted: Wanted;

  constructor(options: IntakeOptions) {
    const { crypto, workspace, reader, graph } = options;
    const isRefused = (run: readonly Delta[]) => this.#endings.forked.has(run[0]!.device) && this.#wantedOf(run) === 0;
    this.#proof = new Proof({ crypto, workspace, reader, graph, isRefused });
    this.#graph = graph;
    this.#wanted = new Wanted(graph, (delta) => options.endings.isCutOff(delta, options.own.feed));
    this.#own = options.own;
    this.#endings = options.endings;
    this.#toldWords = options.toldWords;
    this.#passedBy = options.passedBy;
    this.#outOfStep = options.outOfStep;
    this.#serving = options.serving;
    this.#entrances = options.entrances;
    this.#enter = options.enter;
  }

  /** Runs of feeds as they came (S2): one signature check per contiguous run, at its end (D7). `from`: the device that has sent them. */
  take(runs: readonly (readonly Uint8Array[])[], from: DeviceId | undefined, roster: Roster): Taken {
    const batch = newBatch();
    const entrances = this.#entrances();
    this.#wanted.lookAnew(entrances);
    const hear = (run: readonly Delta[]) => {
      const last = run.findLast(({ id }) => this.#graph.has(id));
      if (last) batch.heard.push({ feed: last.feed, seq: last.seq });
      if (from !== undefined) this.#toldWords.hear(run, from, this.#own.feed, roster);
    };
    const isAllWhole = this.#graph.waiting === 0 && !this.#graph.isForked && this.#endings.forked.size === 0;
    const isPlain = isAllWhole && entrances.length === 0;
    const together: (readonly Delta[])[] = [];
    for (const run of runs) {
      const deltas = this.#proof.read(run);
      if (!deltas.ok) {
        batch.faults.push(deltas.error);
      } else if (isPlain) {
        together.push(deltas.value);
      } else {
        this.#insert(deltas.value, this.#wantedOf(deltas.value), batch);
        hear(deltas.value);
      }
    }
    this.#inTurns(together, batch);
    for (const run of together) hear(run);
    return batch;
  }

  /** What was durable here once: authentic then (D7), though the signature that proved it may not have come back. Answers what has come in with it. */
  takeBack(delta: Delta, arrival?: number): readonly Node[] {
    const batch = newBatch();
    this.#wanted.lookAnew(NONE);
    this.#insert([delta], 1, batch, arrival);
    return batch.added;
  }

  /**
   * Runs of one message name each other's deltas, now this one and now that one: each is taken as far as what it names is here, in turns, so
   * that none has to wait for what comes with it. What is left waits (D5).
   */
  #inTurns(runs: readonly (readonly Delta[])[], batch: Batch): void {
    const left = runs.map((run) => ({ run, at: 0 }));
    for (let hasMoved = true; hasMoved;) {
      hasMoved = false;
      for (const one of left) {
        const { run, at } = one;
        while (one.at < run.length && run[one.at]!.deps.every((dep) => this.#graph.get(dep))) one.at++;
        if (one.at === at) continue;
        hasMoved = true;
        if (this.#insert(at === 0 && one.at === run.length ? run : run.slice(at, one.at), 0, batch)) continue;
        // Nor is the rest.
        one.at = run.length;
        this.#proof.settle(run.at(-1)!);
      }
    }
    for (const { run, at } of left) if (at < run.length) this.#insert(run.slice(at), 0, batch);
  }

  /** How many of a run, from its beginning, others' deltas depend on (D8). */
  #wantedOf(run: readonly Delta[]): number {
    return run.findLastIndex((delta) => this.#wanted.has(delta)) + 1;
  }

  /**
   * `wanted`: of so many of them even a second branch of their feed is taken (D8). False where one is not
   * taken because of what is known of its device, nor what comes after it.
   */
  #insert(deltas: readonly Delta[], wanted: number, { added, faults }: Batch, arrival?: number): boolean {
    let isTaken = true;
    /** Of the run, what was taken last: nothing where that was here before. */
    let before: Delta | undefined;
    const freed: Delta[] = [];
    for (let i = 0; i < deltas.length + freed.length; i++) {
      const delta = i < deltas.length ? deltas[i]! : freed[i - deltas.length]!;
      let isWanted = i < wanted || this.#wanted.has(delta);
      const isBeyond = !isWanted && this.#endings.isBeyond(delta, this.#own.feed);
      // What was taken of the run before it may be proved by it alone, to others as well, who are given it with that (D7).
      if (isBeyond && before && i < deltas.length) isWanted = !this.#proof.stands(before);
      if (isBeyond && !isWanted) {
        // What comes after it in the run would wait for it in vain.
        for (const one of deltas.slice(i)) this.#proof.settle(one);
        if (i < deltas.length) isTaken = false;
        i = Math.max(i, deltas.length - 1);
        continue;
      }
      const outcome = this.#graph.insert(delta, isWanted, i === 0 ? arrival : undefined);
      if (i < deltas.length) before = outcome.outcome === 'added' || outcome.outcome === 'waiting' ? delta : undefined;
      switch (outcome.outcome) {
        case 'added':
          added.push(outcome.node);
          this.#enter(outcome.node, outcome.isRecut);
          if (outcome.isFork) this.#sawFork(delta, faults);
          if (this.#proof.settle(delta)) this.#serving.checked(delta);
          for (const free of this.#graph.released(delta.id)) freed.push(free);
          break;
        case 'fork':
          this.#sawFork(delta, faults);
          break;
        case 'broken':
          faults.push({ tag: 'brokenChain', device: delta.device });
          break;
        case 'overflow':
          faults.push({ tag: 'overflow', device: delta.device });
          break;
        case 'forgotten':
          this.#outOfStep.lookAt(outcome.namedBy);
          break;
        case 'known':
        case 'waiting':
          break;
      }
      if (outcome.outcome !== 'waiting') this.#proof.settle(delta);
    }
    return isTaken;
  }

  #sawFork(delta: Delta, faults: IngestFault[]): void {
    this.#endings.forked.add(delta.device);
    this.#passedBy.endsChanged();
    faults.push({ tag: 'fork', device: delta.device });
  }
}

/**
 * What others' deltas wait for (D2, D8), or a word by which this device comes in (I4). It changes with each that comes, and each is asked about: where it would
 * be looked through too often for one batch, as by who sends the same again and again, it stays as it was. What is not taken for that is asked for again, and comes
 * in another.
 */
class Wanted {
  readonly #graph: Graph;
  readonly #isCutOff: (delta: Delta) => boolean;
  #by: WantedBy | undefined;
  #entrances: readonly DeltaId[] = NONE;
  /** What these rest on, where they wait. */
  #underEntrances: ReadonlySet<DeltaId> = new Set();
  /** As of what was here, and waited. */
  #asOf = '';
  #looks = 0;

  /** `isCutOff`: beyond a word that takes its device out, as if that had not heard it. */
  constructor(graph: Graph, isCutOff: (delta: Delta) => boolean) {
    this.#graph = graph;
    this.#isCutOff = isCutOff;
  }

  lookAnew(entrances: readonly DeltaId[]): void {
    this.#by = undefined;
    this.#entrances = entrances;
    this.#looks = 0;
  }

  has(delta: Delta): boolean {
    if (this.#entrances.includes(delta.id)) return true;
    if (!this.#graph.isWaitedFor(delta)) return false;
    const now = `${this.#graph.arrivals} ${this.#graph.waitingTurns}`;
    if (!this.#by || (now !== this.#asOf && this.#looks < MAX_LOOKS_A_BATCH)) {
      this.#by = this.#graph.wanted();
      this.#underEntrances = this.#graph.lackingUnder(this.#entrances);
      this.#asOf = now;
      this.#looks++;
    }
    // I4, L7: whoever has the word has all that it rests on, whatever this device had said before it lost its copy.
    if (this.#underEntrances.has(delta.id)) return true;
    // Who is in again may name what he has written beyond the word, and that what some have forgotten, and others not (A4, L7).
    return this.#isCutOff(delta) ? this.#by.byOtherDevice(delta) : this.#by.byOtherFeed(delta);
  }
}

function newBatch(): Batch {
  return { added: [], heard: [], faults: [] };
}
