/** The parts of a copy, put together: each knows those it asks, and none the copy. */
import type { DeltaId, DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { Authority } from './authority.ts';
import { Content } from './content.ts';
import { DeltaReader, type Delta } from './delta.ts';
import { Door } from './door.ts';
import { Durability } from './durability.ts';
import { Endings } from './endings.ts';
import { Entrances } from './entrances.ts';
import { Feeds } from './feeds.ts';
import { Forgetting } from './forgetting.ts';
import { Graph } from './graph.ts';
import { Grounds } from './grounds.ts';
import { Intake } from './intake.ts';
import { LetInVain } from './let-in-vain.ts';
import { OutOfStep } from './out-of-step.ts';
import { OwnBase } from './own-base.ts';
import { OwnFeed } from './own-feed.ts';
import { OwnMark } from './own-mark.ts';
import { PassedBy } from './passed-by.ts';
import { People } from './people.ts';
import type { Reducer } from './reducer.ts';
import { Serving } from './serving.ts';
import { isActive } from './stability.ts';
import { StateMark } from './state-mark.ts';
import { ToldWords } from './told-words.ts';
import { ToolWords } from './tool-words.ts';
import { Writing } from './writing.ts';

export interface ReplicaOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reducers: readonly Reducer[];
  /** The feed this device writes. */
  readonly own: FeedId;
  /** Of this workspace: copies of it may have one in common. */
  readonly reader?: DeltaReader;
  /** The words by which this device comes in (I4, L7), as long as it waits for one. */
  readonly entrances?: () => readonly DeltaId[];
}

export interface Parts {
  readonly reader: DeltaReader;
  readonly graph: Graph;
  readonly authority: Authority;
  readonly content: Content;
  readonly base: OwnBase;
  readonly own: OwnFeed;
  readonly durability: Durability;
  readonly outOfStep: OutOfStep;
  readonly forgetting: Forgetting;
  readonly serving: Serving;
  readonly door: Door;
  readonly intake: Intake;
  readonly writing: Writing;
  readonly people: People;
  readonly feeds: Feeds;
  readonly mark: OwnMark;
}

export function partsOf(options: ReplicaOptions): Parts {
  const { crypto, workspace, reducers, own: feed, reader: given } = options;
  const reader = given ?? new DeltaReader(crypto, workspace);
  const isIn = (device: DeviceId) => isActive(graph, authority, door.lastRoster, device);
  const graph: Graph = new Graph({
    isLetIn: (delta, deps) => entrances.isLetIn(delta, deps),
    isIn,
    mayWant: (waiter, isWanted) => isIn(waiter.device) && (isWanted || !own.isLost(waiter)),
    hasAcknowledged: (node) => own.hasAcknowledged(node),
  });
  const authority = new Authority(crypto, graph);
  const tools = new ToolWords(authority);
  const content = new Content(graph, authority, tools, reducers);
  const base = new OwnBase(crypto, workspace, graph, content);

  const entrances = new Entrances(crypto, workspace);
  const lettingIn = (device: DeviceId) => entrances.of(device);
  const endings = new Endings(crypto, graph, authority, lettingIn, isIn);
  const toldWords = new ToldWords({ crypto, graph, authority, endings, entrancesOf: lettingIn, isIn });
  const own: OwnFeed = new OwnFeed({ crypto, workspace, feed, graph, authority, entrances, endings });
  const durability = new Durability(graph, own);

  const isBarred = (delta: Delta) => endings.isBarred(delta, own.feed);
  const entrancesOf = (device: DeviceId) => endings.entrancesSince(device, own.feed);
  const passedBy = new PassedBy({ crypto, graph, entrancesOf, isBarred });
  const outOfStep = new OutOfStep({ graph, authority, content, passedBy });
  const forgetting = new Forgetting({ graph, content, entrances, own, base });
  const stateMark = new StateMark(crypto, graph, authority, content);

  const door: Door = new Door({
    ...{ graph, authority, tools, content, entrances, endings, own, base },
    ...{ durability, passedBy, outOfStep, forgetting, stateMark },
  });
  const serving = new Serving(crypto, workspace, graph, ({ delta }) => own.isDurable(delta));
  const enter: Door['enter'] = (node, isRecut) => door.enter(node, isRecut);
  const intake = new Intake({
    ...{ crypto, workspace, reader, graph, own, endings, toldWords, passedBy, outOfStep, serving, enter },
    entrances: () => options.entrances?.() ?? [],
  });
  const writing = new Writing({ door, reader, graph, authority, content, endings, own, serving });
  const letInVain = new LetInVain(graph, authority, entrances);
  const grounds = new Grounds(graph, authority, entrances);
  const people = new People({ door, graph, authority, entrances, endings, toldWords, letInVain, grounds, own });
  const mark = new OwnMark({ door, graph, content, endings, durability, outOfStep, stateMark });
  return {
    ...{ reader, graph, authority, content, base, own, durability, outOfStep, forgetting, serving },
    ...{ door, intake, writing, people, feeds: new Feeds(graph), mark },
  };
}
