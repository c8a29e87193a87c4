/**
 * Of whom a fresh copy may be had (L6). A copy may lack what members have folded: what they give is a base, again and again, that a copy
 * which has written does not take. Whoever has given one in vain is who can put it right; who holds no more than is here has nothing to
 * put it right with. So those are asked first
 * - who were asked least since this copy has begun: who gave nothing may not be able to;
 * - who have given a base in vain, then those who hold something that is lacking here;
 * - managers, whose word all believe;
 * - who is on a direct path.
 * Nobody is asked who has said that his own copy is no good; where all have, he whose device id is the lowest: two who take each other's have
 * put nothing right, and an old copy may take the place of a newer one.
 */
import type { DeviceId } from '../base/ids.ts';
import type { Role } from './control.ts';

/** What is on its way by the log comes meanwhile: a base that is not acknowledged is given again after 2, 4, 8 … s. */
const OFFERS_IN_VAIN = 4;

export interface Source {
  readonly device: DeviceId;
  readonly role: Role;
  readonly isDirect: boolean;
  /** It has said that it holds something which is not here. */
  readonly holdsMore: boolean;
  /** It has said that its own copy is no good. */
  readonly needsCopy: boolean;
}

export class Sources {
  /** Bases that were not taken, by member. */
  readonly #offers = new Map<DeviceId, number>();
  readonly #asked = new Map<DeviceId, number>();
  /** Who had given one in vain, and said that his own was no good, when another took the place of what was here: it does not take his either. */
  #outdone: ReadonlySet<DeviceId> = new Set();

  /**
   * A part of a base was not taken. `holdsMore`: something of the sender's is lacking here, so that it is of use; `needsCopy`: he says that his own copy is
   * no good.
   */
  offered({ device, holdsMore, needsCopy }: Pick<Source, 'device' | 'holdsMore' | 'needsCopy'>, part: number): void {
    if (!needsCopy) this.#outdone = new Set([...this.#outdone].filter((one) => one !== device));
    if (!holdsMore) this.#offers.delete(device);
    else if (part === 0) this.#offers.set(device, (this.#offers.get(device) ?? 0) + 1);
  }

  asked(device: DeviceId): void {
    this.#asked.set(device, (this.#asked.get(device) ?? 0) + 1);
  }

  /**
   * With another copy nothing of this holds any more, but for those who differ from that one, too, as they did from the one before, and know that
   * theirs is no good: of two who both said so each would wait for the other. `asked`: who has given it, where he was asked for it.
   */
  begunAnew(asked: DeviceId | undefined, needsCopy: (device: DeviceId) => boolean): void {
    const outdone = [...this.inVain(), ...this.#outdone].filter((device) => device !== asked && needsCopy(device));
    this.#outdone = new Set(asked === undefined ? [] : outdone);
    this.#offers.clear();
    this.#asked.clear();
  }

  /** Who have given a base so often that what is lacking comes in no other way. */
  *inVain(): Generator<DeviceId> {
    for (const [device, offers] of this.#offers)
      if (offers >= OFFERS_IN_VAIN && !this.#outdone.has(device)) yield device;
  }

  /** `own`: of this device, where its own copy is no good either. */
  best(sources: readonly Source[], own: DeviceId | undefined): DeviceId | undefined {
    const good = sources.filter(({ needsCopy }) => !needsCopy);
    const [lowest] = sources.map(({ device }) => device).sort();
    if (good.length === 0) return own !== undefined && lowest !== undefined && lowest < own ? lowest : undefined;
    const ranked = good.map((source) => ({ device: source.device, rank: this.#rank(source) }));
    return ranked.sort((a, b) => compare(a.rank, b.rank))[0]?.device;
  }

  /** Lower is asked first. */
  #rank({ device, role, isDirect, holdsMore }: Source): readonly number[] {
    const use = holdsMore ? (this.#offers.has(device) ? 0 : 1) : 2;
    return [this.#asked.get(device) ?? 0, use, role, isDirect ? 0 : 1];
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((rank, i) => rank !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}
