/**
 * What must hold of forgetting and of first copies (L4, L6), asked of copies that have forgotten beside one that never did: no
 * verdict flips once a delta is folded, two at the same cut have the same base, who begins with it has the same workspace, and at
 * rest a log holds nothing that all have acknowledged, nor a device the key of an epoch that nobody uses (K4).
 */
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { toHex } from '../../src/base/bytes.ts';
import { push } from '../../src/base/group.ts';
import { BaseReader, type BaseParts } from '../../src/sync/base.ts';
import type { Folded, FoldVerdict } from '../../src/sync/fold.ts';
import { compareNodes, type Node } from '../../src/sync/graph.ts';
import type { Replica } from '../../src/sync/replica.ts';
import type { SimDevice } from './device.ts';
import type { World } from './world.ts';

/** A copy, from when its device has begun with it until it has another. */
export type Life = `${DeviceId} ${number}`;

interface FoldedAs {
  readonly node: Node;
  readonly verdict: FoldVerdict;
  readonly by: Set<Life>;
}

/**
 * Whether the word that cuts something off has come too late to a copy, and it is known: it knows itself out of step, or did when another took its place (L6); or
 * its device was taken out, let in again, and has begun anew (A4, L7).
 */
function isTooLate(world: World, union: Replica, life: Life): boolean {
  if (world.leftOutOfStep.has(life)) return true;
  const id = life.split(' ')[0] as DeviceId;
  const device = world.devices.get(id);
  return device?.lifeName === life ? device.replica.isOutOfStep : union.people.wasTakenOut(id);
}

/** How deltas were folded, and by whom: others must have done it alike. */
export class FoldedOnce {
  readonly #folded = new Map<DeltaId, FoldedAs[]>();
  /** Of what a device has written that which its copy has folded when nobody else was in it. */
  readonly #foldedAlone = new Map<Life, DeltaId[]>();
  /** Of what a copy has folded, the words by which it had devices for out then. */
  readonly #wordsOut = new Map<Life, Map<DeltaId, readonly DeltaId[]>>();

  take(by: SimDevice, folded: readonly Folded[]): void {
    const isAlone = by.replica.roster.devices.size === 1;
    const wordsOut = [...by.replica.roster.gone.values()].map(({ delta }) => delta.id);
    const words = this.#wordsOut.get(by.lifeName) ?? new Map<DeltaId, readonly DeltaId[]>();
    this.#wordsOut.set(by.lifeName, words);
    for (const { node, verdict } of folded) {
      words.set(node.delta.id, wordsOut);
      if (isAlone && node.delta.device === by.id) push(this.#foldedAlone, by.lifeName, node.delta.id);
      const known = this.#folded.get(node.delta.id) ?? [];
      if (known.length === 0) this.#folded.set(node.delta.id, known);
      const same = known.find((one) => one.verdict === verdict);
      if (same) same.by.add(by.lifeName);
      else known.push({ node, verdict, by: new Set([by.lifeName]) });
    }
  }

  /** L4: what was folded since its base was written is to be folded again, perhaps otherwise: a word may have come meanwhile. */
  reopened({ lifeName, replica }: SimDevice): void {
    const cut = replica.feeds.cut();
    for (const all of this.#folded.values())
      for (const { node, by } of all) if (node.delta.seq > (cut.get(node.delta.feed) ?? 0)) by.delete(lifeName);
  }

  /**
   * A4: who was let in by two that take each other out, and has both words, is in by neither, and lets his copy go; whoever has heard the one word
   * first goes on. What these have made void for him counts for the others.
   */
  parted({ lifeName }: SimDevice): void {
    for (const all of this.#folded.values())
      for (const { verdict, by } of all) if (verdict !== 'applied') by.delete(lifeName);
  }

  /**
   * L6, D9: its person has had the copy begin anew, with that of somebody who lacks what this one had folded alone. What nobody has any more who was in
   * it is kept beside the fresh copy, and its author is told so; when it comes back (D2) all fold it alike, as what the later feed had begun without.
   */
  leftBehind(life: Life, isHeld: (id: DeltaId) => boolean): void {
    for (const id of this.#foldedAlone.get(life) ?? [])
      if (!isHeld(id)) for (const { by } of this.#folded.get(id)!) by.delete(life);
  }

  /**
   * L4: it was folded by who had taken somebody out, waited for him no longer, and has told nobody: his copy is gone, and the word with it. So whom he had
   * for out may cut off what he has folded, and is heard by all who are left.
   */
  #isFoldedAside(union: Replica, life: Life, { delta }: Node): boolean {
    const words = this.#wordsOut.get(life)?.get(delta.id) ?? [];
    return words.some((word) => !union.node(word));
  }

  /** Of each copy, the first that it has not folded as cut off, and that is so now. */
  #overtaken(union: Replica): ReadonlyMap<Life, Node> {
    const first = new Map<Life, Node>();
    for (const [id, known] of this.#folded) {
      const now = union.verdictOf(id);
      if (now !== 'cutOff' && now !== 'forked') continue;
      for (const { node, verdict, by } of known)
        if (verdict !== now)
          for (const life of by) if (compareNodes(node, first.get(life) ?? node) <= 0) first.set(life, node);
    }
    return first;
  }

  /** In the end, beside a copy of everything that has forgotten nothing. `side`: those whom it is asked of, where not of all. */
  check(world: World, union: Replica, side: readonly SimDevice[] | undefined): void {
    // Where somebody has two histories, bases are put right later (D8).
    if (world.forked.size > 0) return;
    const lives = side && new Set(side.map(({ lifeName }) => lifeName));
    const overtaken = this.#overtaken(union);
    // It has folded so because of a word that came too late: what is cut off, or what is judged after such (a version of a file cut off).
    const isOvertaken = (life: Life, node: Node): boolean => {
      const first = overtaken.get(life);
      return first !== undefined && compareNodes(first, node) <= 0 && isTooLate(world, union, life);
    };
    const isExcused = (life: Life, node: Node) => isOvertaken(life, node) || this.#isFoldedAside(union, life, node);
    for (const [id, known] of this.#folded) {
      const folds = known.filter(({ by }) => by.size > 0 && ![...by].every((life) => world.odd.has(life)));
      const now = union.verdictOf(id);
      const all = folds.filter(({ node, by }) => ![...by].every((life) => isExcused(life, node)));
      if (!side && all.length > 1)
        world.violate(
          'L4',
          `one folds ${id.slice(0, 8)} as ${all.map(({ verdict }) => verdict).join(', another as ')}`,
        );
      const node = union.node(id);
      if (!node) continue;
      const isHidden = now === 'unknownTool' && !union.roster.tools.has(node.delta.tool!);
      if (isHidden) continue;
      const { kind, seq, device } = node.delta;
      for (const { verdict, by } of all) {
        if (lives && ![...by].some((life) => lives.has(life))) continue;
        if (now === (verdict === 'applied' ? 'accepted' : verdict)) continue;
        world.violate('L4', `${kind} ${seq} of ${world.nameOf(device)} was folded as ${verdict} and is ${String(now)}`);
      }
    }
    world.counts.add('folded verdicts checked', this.#folded.size);
  }
}

/** Of those at one cut so many are asked: each adds up all that it holds. */
const SAME_CUT = 4;

/** L6: the same cut is the same base, whoever has made it. */
export function checkBases(world: World, live: readonly SimDevice[]): void {
  const byCut = new Map<string, SimDevice[]>();
  for (const device of live) {
    const { replica } = device;
    if (!replica.base.isThere || replica.isOutOfStep) continue;
    // D8: of the base, in which a branch that alone is named is its feed; the copy tells of it up to the fork.
    const cut = [...replica.base.present().cut].map(([feed, seq]) => `${feed} ${seq}`).sort();
    push(byCut, cut.join(), device);
  }
  for (const same of byCut.values()) {
    const roots = same.slice(0, SAME_CUT).map(({ replica }) => toHex(replica.base.present().root));
    world.counts.add('bases at the same cut', roots.length - 1);
    for (const [i, root] of roots.entries())
      if (root !== roots[0]) world.violate('L6', `${world.nameOf(same[i]!.id)} has another base at the same cut`);
  }
}

/** N4, L6: a copy that begins with somebody's base and takes on what is after it, as a joiner of his would. */
export function firstCopyOf(make: () => Replica, crypto: World['crypto'], from: Replica): Replica | undefined {
  const copy = make();
  const base = readBase(crypto, from, from.base.parts());
  if (!base.ok || !copy.load(base.value, false).ok) return undefined;
  for (const { delta } of from.tail()) copy.restore(delta.bytes);
  return copy;
}

function readBase(crypto: World['crypto'], { workspace }: Replica, { root, parts }: BaseParts) {
  const reader = new BaseReader(crypto, workspace);
  for (const [part, bytes] of parts.entries()) reader.add({ root, part, parts: parts.length, bytes });
  return reader.read();
}

/**
 * L4: when all have come to rest, nothing that a tool has written is left in the log. Who is silent, hostile or away holds
 * everything up, and so does a word of a newer version.
 */
export function checkLogs(world: World, live: readonly SimDevice[]): void {
  const ids = new Set(live.map(({ id }) => id));
  for (const { replica, id, engine } of live) {
    if (
      world.forked.size > 0 ||
      replica.newer.size > 0 ||
      ![...replica.people.active].every((device) => ids.has(device))
    )
      continue;
    world.counts.add('logs at rest');
    const left = replica.tail().filter(({ delta }) => delta.tool !== undefined);
    if (left.length > 0)
      world.violate(
        'L4',
        `${world.nameOf(id)} keeps ${left.length} deltas that all have acknowledged, first ${left[0]!.delta.kind} ${left[0]!.delta.seq} of ${world.nameOf(left[0]!.delta.device)}`,
      );
    // K4: nor is the key of any epoch but that in use, and of those whose word has not come (K1): the maker may be out, and nobody take it.
    const { keys } = engine;
    const held = keys.held().filter(({ tag }) => keys.isAnnounced(tag));
    if (keys.isClean && held.length > 1)
      world.violate('K4', `${world.nameOf(id)} holds ${held.length} message keys, though all use the newest`);
    world.counts.add('deltas in logs at rest', replica.size);
    world.counts.most('most acks in a log at rest', replica.tail().filter(({ delta }) => delta.kind === 'ack').length);
  }
}
