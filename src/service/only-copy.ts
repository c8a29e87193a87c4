/**
 * Whether this store is the only one that writes as this device (D2). A store that was copied or restored knows less of its own feed
 * than others do: written on, the feed would fork (D8), and nobody would take anything from it any more.
 *
 * | what is found | what follows |
 * | --- | --- |
 * | the log’s tail was cut | a new feed, before anything is written |
 * | the log is damaged within, or the store is not where it was when it was last open | a new feed, and nothing is written before another device has told what is lacking: what we had acknowledged others may have forgotten (L4), and could not take what is written as if we had not |
 * | others have more of our feed, from before this opening | it comes back from them, and a new feed begins above it |
 * | somebody writes as this device since this opening | nothing more is written here, until the next opening |
 * | two deltas of ours for one place | nothing more is written in that workspace: nobody would take it |
 */
import type { WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asArray, asCount, asText } from '../protocol/codec.ts';
import { MAX_FEED_GENERATION } from '../protocol/limits.ts';
import type { ServiceErrorCode, ServiceEvent } from './api.ts';
import type { LocalState } from './local-state.ts';

/** The clocks of two machines: written by one and closed, opened on the other right after. */
const CLOCK_SLACK_MS = 60_000;
/** In one workspace since the opening: two copies, one with its clock behind, would take turns in beginning feeds. */
const MAX_FEEDS_BEGUN = 4;
/** A system that names another place each time would have a feed begun with each start: then the first contact must do. */
const MAX_MOVES = 32;
const PLACE_KEY = 'place';

/** What of a workspace it takes. */
export interface WrittenWorkspace {
  readonly id: WorkspaceId;
  readonly roster: { readonly name: string };
  /** Since when it is written here, in milliseconds. */
  readonly openedAt: number;
  /** Which of this device's feeds is written here. */
  readonly generation: number;
  /** Those of which something is here. */
  readonly generations: readonly number[];
  beginFeed(generation: number): void;
  /** Nothing is written before others have told what is lacking. */
  awaitWord(): void;
}

/** What of a delta it takes. */
export interface Found {
  readonly delta: { readonly generation: number; readonly time: number };
}

export interface OnlyCopyOptions {
  readonly crypto: Crypto;
  readonly local: LocalState;
  emit(event: ServiceEvent): void;
}

export class OnlyCopy {
  readonly #options: OnlyCopyOptions;
  readonly #local: LocalState;
  readonly #feedsBegun = new Map<WorkspaceId, number>();
  #isUsedTwice = false;

  constructor(options: OnlyCopyOptions) {
    this.#options = options;
    this.#local = options.local;
  }

  // ---- at the opening ---------------------------------------------------------------------------------------------------

  /** Whether the store is a copy of the one that was open before. Remembers where it is now. */
  hasMoved(place: string | undefined): boolean {
    const known = asArray(this.#local.get(PLACE_KEY), 2);
    const [before, moves] = [asText(known?.[0], 128), asCount(known?.[1]) ?? 0];
    if (place === undefined || place === before || moves >= MAX_MOVES) return false;
    this.#local.put(PLACE_KEY, [place, before === undefined ? 0 : moves + 1]);
    return before !== undefined;
  }

  /** What a damaged or copied log lacks may be with others; written again under the same seq it would be a fork. */
  beginFeed(workspace: WrittenWorkspace, awaitsWord: boolean): void {
    this.#begin(workspace, this.feedAfter(workspace));
    if (awaitsWord) workspace.awaitWord();
  }

  /** Of the feed that is to be written when a fresh copy is here (L6). */
  feedAfter({ generation, generations }: Pick<WrittenWorkspace, 'generation' | 'generations'>): number {
    return this.#above(Math.max(generation, ...generations));
  }

  /** A fresh copy has begun (L6), with that feed. */
  renewed(workspace: WrittenWorkspace, generation: number): void {
    this.#begin(workspace, generation);
    workspace.awaitWord();
  }

  #begin(workspace: WrittenWorkspace, generation: number): void {
    this.#local.put(generationKey(workspace.id), generation); // to disk with what shows that it is due
    workspace.beginFeed(generation);
  }

  /** A step that another copy of the same back-up does not take: its new feed is to be another one. */
  #above(generation: number): number {
    const [a, b, c] = this.#options.crypto.randomBytes(3) as unknown as readonly [number, number, number];
    return Math.min(generation + 1 + (((a << 16) | (b << 8) | c) >> 4), MAX_FEED_GENERATION);
  }

  // ---- while it is open -------------------------------------------------------------------------------------------------

  /** Why nothing may be written; undefined where it may. */
  barred(id: WorkspaceId): ServiceErrorCode | undefined {
    if (this.#isUsedTwice) return 'usedTwice';
    return this.#local.get(forkKey(id)) === undefined ? undefined : 'ownFork';
  }

  /** Deltas of this device that others have brought. To be called before anything can be written upon them. */
  found(workspace: WrittenWorkspace, nodes: readonly Found[]): void {
    if (nodes.length === 0) return;
    // From a feed that is not written any more it is what a damaged or restored log had lost.
    const highest = Math.max(...nodes.map(({ delta }) => delta.generation));
    if (highest >= workspace.generation) this.#goAbove(workspace, highest);
    if (nodes.some(({ delta }) => delta.time > workspace.openedAt + CLOCK_SLACK_MS)) this.#usedTwice();
  }

  /**
   * A copy has begun with a base. What it says of this device's feeds nobody has signed, so whoever gives one can name any: the feed goes on above
   * them, and nothing is concluded of another copy of the store, which would end all writing in other workspaces, too.
   */
  begunWith(workspace: WrittenWorkspace): void {
    const highest = Math.max(-1, ...workspace.generations);
    if (highest >= workspace.generation) this.#begin(workspace, this.#above(highest));
  }

  #goAbove(workspace: WrittenWorkspace, highest: number): void {
    this.#begin(workspace, this.#above(highest));
    const begun = (this.#feedsBegun.get(workspace.id) ?? 0) + 1;
    this.#feedsBegun.set(workspace.id, begun);
    if (begun > MAX_FEEDS_BEGUN) this.#usedTwice();
  }

  #usedTwice(): void {
    if (this.#isUsedTwice) return;
    this.#isUsedTwice = true;
    this.#options.emit({ type: 'notice', code: 'usedTwice', detail: {} });
  }

  /** This device has shown two histories. Remembered: the next opening sees only one of them. */
  forked(workspace: WrittenWorkspace): void {
    const key = forkKey(workspace.id);
    if (this.#local.get(key) !== undefined) return;
    this.#local.put(key, true);
    this.#options.emit({
      type: 'notice',
      code: 'ownFork',
      workspace: workspace.id,
      detail: { name: workspace.roster.name },
    });
  }
}

/** Which of its feeds this device writes in a workspace. */
export function generationIn(local: LocalState, workspace: WorkspaceId): number {
  return asCount(local.get(generationKey(workspace))) ?? 0;
}

function generationKey(workspace: WorkspaceId): string {
  return `generation/${workspace}`;
}

/** Outlives the copy, as the generation does: who is let in again is let in with this device, and it is forked still. */
function forkKey(workspace: WorkspaceId): string {
  return `forked/${workspace}`;
}
