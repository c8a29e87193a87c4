// "Apollo", shared between Alice and Bob before anybody looks: what a first `npm start` shows.

export interface Preshare {
  /** Folder that is the state of this start: people, relay, and what is made here. */
  readonly state: string;
  /** Address of the relay that runs. */
  readonly relay: string;
  /** A real folder that goes into Apollo's files. */
  readonly sample: string;
  /** Folder of each person's store, as their extension finds it. */
  readonly stores: Readonly<Record<string, string>>;
}

/** What each person's VS Code gets in its environment, so that it opens the store made here. */
export type Environments = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Does nothing where an earlier start has done it. */
export async function preshare({ stores }: Preshare): Promise<Environments> {
  return Object.fromEntries(Object.keys(stores).map((name) => [name, {}]));
}
