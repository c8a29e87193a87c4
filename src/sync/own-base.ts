/**
 * The base of a copy (L4, L6): what is folded here as it is kept and given away, what it adds up to, and whether somebody has vouched for the one with which the
 * copy has begun.
 */
import { equalBytes } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import {
  baseRootOf,
  cutOf,
  NOTHING_FOLDED,
  rootOfNothing,
  writeBase,
  type Base,
  type BaseParts,
  type Frame,
} from './base.ts';
import type { Content } from './content.ts';
import type { CutAndRoot } from './control.ts';
import { frameOf } from './frame.ts';
import type { Graph } from './graph.ts';
import type { Voucher } from './roster.ts';

export class OwnBase {
  readonly #crypto: Crypto;
  readonly #workspace: WorkspaceId;
  readonly #graph: Graph;
  readonly #content: Content;
  /** Until something more is folded or forgotten. */
  #present: CutAndRoot | undefined;
  /** Root of a base from elsewhere for which nobody has vouched yet (L6): it is not served on. */
  unconfirmed: Uint8Array | undefined;

  constructor(crypto: Crypto, workspace: WorkspaceId, graph: Graph, content: Content) {
    this.#crypto = crypto;
    this.#workspace = workspace;
    this.#graph = graph;
    this.#content = content;
  }

  /** Whether something is folded, or forgotten. */
  get isThere(): boolean {
    return this.#graph.cut().size > 0;
  }

  /** What is folded, whole: to keep, or to give to somebody who has nothing yet. */
  parts(): BaseParts {
    if (!this.isThere) return writeBase(this.#workspace, rootOfNothing(this.#crypto), NOTHING_FOLDED, []);
    const frame = frameOf(this.#graph, this.#content.end);
    const encoded = [...this.#content.fold.encodedBase()];
    const { root, parts, rows } = writeBase(this.#workspace, this.#rootOf(frame), frame, encoded);
    this.#content.fold.repack(rows);
    return { root, parts };
  }

  /** What it adds up to, and up to where: what a manager vouches for. */
  present(): CutAndRoot {
    if (this.#present) return this.#present;
    if (!this.isThere) return { cut: new Map(), root: rootOfNothing(this.#crypto) };
    const frame = frameOf(this.#graph, this.#content.end);
    return (this.#present = { cut: cutOf(frame), root: this.#rootOf(frame) });
  }

  /** Something more is folded or forgotten. */
  changed(): void {
    this.#present = undefined;
  }

  /** The copy has begun with this one, an own one or another's. Answers whether it adds up to what it says. */
  begunWith(base: Base, isOwn: boolean): boolean {
    if (isOwn) {
      // It was sealed here, and added up then.
      this.#present = { cut: cutOf(base), root: base.root };
      return true;
    }
    // Of what all deltas will be held against nobody need vouch.
    this.unconfirmed = this.isThere ? base.root : undefined;
    return equalBytes(this.present().root, base.root);
  }

  /** Of the base as it came, or of what it has become since by what was folded upon it: the one follows from the other. */
  seekVoucher(vouchers: readonly Voucher[]): void {
    const came = this.unconfirmed;
    if (!came) return;
    const present = this.present();
    if (vouchers.some((voucher) => equalBytes(voucher.root, came) || equalBytes(voucher.root, present.root)))
      this.unconfirmed = undefined;
  }

  #rootOf(frame: Frame): Uint8Array {
    return baseRootOf(this.#crypto, this.#content.fold.baseRoot(this.#crypto), frame);
  }
}
