/** How many people and devices are in, as of a delta (A10): as far as the pass has come. */
import type { AccountId } from '../base/ids.ts';
import { isLiveIn, type Credential, type Credentials } from './credentials.ts';
import type { DeviceStanding } from './device-standing.ts';
import { inPast, type Node } from './graph.ts';

/** What was found in the past of a delta. What is not live there is so for nobody who comes after it. */
interface Look {
  readonly view: Node;
  /** Credentials that were not ended there, in its past or not. */
  readonly rest: readonly Credential[];
  /** Up to where all that had been granted is gone through. */
  readonly end: number;
}

/** So many histories that do not know of one another take turns without being gone through from the beginning. */
const MAX_LOOKS = 8;

export class Crowd {
  readonly #credentials: Credentials;
  readonly #devices: DeviceStanding;
  /** The last first. */
  #looks: Look[] = [];

  constructor(credentials: Credentials, devices: DeviceStanding) {
    this.#credentials = credentials;
    this.#devices = devices;
  }

  /** Of a new pass. */
  restart(): void {
    this.#looks = [];
  }

  /** Whoever is in by one live credential. Of a draft nothing is kept: it is in nobody's past. */
  in(view: Node, isDraft: boolean): { readonly members: number; readonly devices: number } {
    const { all } = this.#credentials;
    const before = this.#looks.find((look) => inPast(look.view, view));
    const live = new Set<AccountId>();
    const rest: Credential[] = [];
    const take = (credential: Credential) => {
      if (!isLiveIn(credential, view)) return;
      rest.push(credential);
      if (inPast(credential.node, view)) live.add(credential.account);
    };
    for (const credential of before?.rest ?? []) take(credential);
    for (let at = before?.end ?? 0; at < all.length; at++) take(all[at]!);
    if (!isDraft) {
      const others = this.#looks.filter((look) => look !== before).slice(0, MAX_LOOKS - 1);
      this.#looks = [{ view, rest, end: all.length }, ...others];
    }
    let devices = 0;
    for (const account of live) devices += this.#devices.countOf(account);
    return { members: live.size, devices };
  }
}
