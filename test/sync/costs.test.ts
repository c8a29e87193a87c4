/** What a hostile member may write, and what it costs whoever takes it: twice as much of it may cost four times as much, and no more. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { Credentials } from '../../src/sync/credentials.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { Graph, type Node } from '../../src/sync/graph.ts';
import { OwnFeed } from '../../src/sync/own-feed.ts';
import { Talk } from './talk.ts';
import { Person, Team } from './team.ts';

/** How often somebody's past is looked into, of all that is here, while something is done. */
function looks(nodes: Iterable<Node>, act: () => void): number {
  let count = 0;
  for (const node of nodes) {
    const { past } = node;
    const get = () => {
      count++;
      return past;
    };
    Object.defineProperty(node, 'past', { get, configurable: true });
  }
  act();
  return count;
}

describe('A6 what a member may write', () => {
  it('A6 A7 who leaves and is let in again without end makes nothing of it slow', () => {
    const looksAt = (count: number) => {
      const team = new Team('let in again');
      const { person: mallory } = team.join('Mallory');
      const credential = team.founder.replica.roster.members.get(mallory.account)!.credential;
      const zoe = team.person('Zoe');
      const box = boxEpoch(team.crypto, team.epoch, []);
      const body = controlBody.admit(zoe.account, Role.participant, 'Zoe', [zoe.certificate], undefined, box);
      const admits: Delta[] = [];
      const leaves: Delta[] = [];
      for (let seq = 1; seq <= count; seq++) {
        const [admit, leave] = [admits.at(-1), leaves.at(-1)];
        const admission = { seq, prev: admit?.id, deps: [leave?.id ?? credential], credential, body };
        admits.push(team.forge(mallory, { ...admission, tool: undefined, kind: 'admit' }));
        const { id } = admits.at(-1)!;
        const word = { seq, prev: leave?.id, deps: [id], credential: id, body: controlBody.leave() };
        leaves.push(team.forge(zoe, { ...word, tool: undefined, kind: 'leave' }));
      }
      assert.deepEqual(team.founder.hearRuns(admits, leaves), []);
      for (const { id } of [...admits, ...leaves]) assert.equal(team.founder.verdict(id), 'accepted');
      return looks(team.founder.replica.nodes(), () => team.founder.admit(team.person('Carol')));
    };
    const [few, many] = [looksAt(40), looksAt(80)];
    assert.ok(many < 5 * few, `${few} looks, and ${many} for twice as much`);
  });

  it('A10 A7 whom somebody lets in, and who leave at once, make nothing of it slow, however many more than there is room for', () => {
    const looksAt = (count: number) => {
      const team = new Team('puppets');
      const { person: mallory } = team.join('Mallory');
      const credential = team.founder.replica.roster.members.get(mallory.account)!.credential;
      const box = boxEpoch(team.crypto, team.epoch, []);
      const admits: Delta[] = [];
      const leaves: Delta[] = [];
      for (let seq = 1; seq <= count; seq++) {
        const puppet = team.person(`Puppet ${seq}`);
        const body = controlBody.admit(puppet.account, Role.guest, 'Puppet', [puppet.certificate], undefined, box);
        const admission = { seq, prev: admits.at(-1)?.id, deps: [leaves.at(-1)?.id ?? credential], credential, body };
        admits.push(team.forge(mallory, { ...admission, tool: undefined, kind: 'admit' }));
        const { id } = admits.at(-1)!;
        const word = { seq: 1, deps: [id], credential: id, body: controlBody.leave() };
        leaves.push(team.forge(puppet, { ...word, tool: undefined, kind: 'leave' }));
      }
      assert.deepEqual(team.founder.hearRuns(admits, ...leaves.map((leave) => [leave])), []);
      for (const { id } of [...admits, ...leaves]) assert.equal(team.founder.verdict(id), 'accepted');
      return looks(team.founder.replica.nodes(), () => void team.founder.invite());
    };
    const [few, many] = [looksAt(150), looksAt(300)];
    assert.ok(many < 5 * few, `${few} looks, and ${many} for twice as much`);
  });

  it('A4 K2 devices that take one another out, each before the next, are not gone through once for each', () => {
    const costsOf = (count: number) => {
      const team = new Team('a row of devices');
      const { person: mallory } = team.join('Mallory', team.founder, Role.guest);
      const credential = team.founder.replica.roster.members.get(mallory.account)!.credential;
      const others = Array.from({ length: count }, (_, i) => new Person(team.crypto, `Mallory ${i}`, mallory));
      const box = boxEpoch(team.crypto, team.epoch, []);
      const certificates = others.map(({ certificate }) => certificate);
      const added = { deps: [credential], body: controlBody.addDevice(mallory.account, certificates, box) };
      const word = { credential, tool: undefined };
      const ladder = [team.forge(mallory, { seq: 1, ...word, kind: 'addDevice', ...added })];
      while (ladder.length < count)
        ladder.push(
          team.forge(mallory, { seq: ladder.length + 1, prev: ladder.at(-1)!.id, ...word, kind: 'ack', body: [] }),
        );
      const words = others.slice(1).map(({ device }, i) => {
        const body = controlBody.devices([device], box);
        return team.forge(others[i]!, { seq: 1, deps: [ladder.at(-1 - i)!.id], ...word, kind: 'removeDevice', body });
      });
      assert.deepEqual(team.founder.hearRuns(ladder, ...words.map((one) => [one])), []);
      const verdicts = words.map(({ id }) => team.founder.verdict(id));
      assert.deepEqual(
        verdicts,
        words.map((_, i) => (i % 2 === 0 ? 'accepted' : 'cutOff')),
      );
      const { restart } = Credentials.prototype;
      let passes = 0;
      Credentials.prototype.restart = function (this: Credentials) {
        passes++;
        restart.call(this);
      };
      try {
        const looked = looks(team.founder.replica.nodes(), () => void team.founder.invite());
        return { passes, looked };
      } finally {
        Credentials.prototype.restart = restart;
      }
    };
    const [few, many] = [costsOf(40), costsOf(80)];
    assert.ok(many.passes <= few.passes, `${few.passes} passes, and ${many.passes} for twice as much`);
    assert.ok(many.looked < 4 * few.looked, `${few.looked} looks, and ${many.looked} for twice as much`);
  });
});

describe('D10 words that nobody knows', () => {
  it('D10 are looked at once, and not again for each content delta', () => {
    const looksAt = (count: number) => {
      const team = new Team('unknown words');
      const { person: mallory } = team.join('Mallory', team.founder, Role.guest);
      const credential = team.founder.replica.roster.members.get(mallory.account)!.credential;
      const words: Delta[] = [];
      for (let seq = 1; seq <= count; seq++) {
        const place = { seq, prev: words.at(-1)?.id, deps: seq === 1 ? [credential] : [] };
        words.push(team.forge(mallory, { ...place, credential, tool: undefined, kind: 'unheard', body: [] }));
      }
      assert.deepEqual(team.founder.hearRuns(words), []);
      return looks(team.founder.replica.nodes(), () => {
        for (let i = 0; i < 20; i++) team.founder.post(`post ${i}`);
      });
    };
    const count = looksAt(40);
    assert.ok(count < 4 * 40, `${count} looks for 20 posts`);
  });
});

describe('D2 later feeds of a device', () => {
  /** How often it is asked what the holder of the copy has acknowledged, while all is looked through once more. */
  const asked = (count: number, act: (talk: Talk, feeds: readonly Delta[]) => void) => {
    let questions = 0;
    const hasAcknowledged = () => {
      questions++;
      return false;
    };
    const talk = new Talk({ hasAcknowledged });
    const feeds = Array.from({ length: count }, (_, i) => talk.add(talk.mallory, undefined, [talk.genesis], i + 1));
    questions = 0;
    act(talk, feeds);
    return questions;
  };

  it('D2 a thousand of them make nothing slow: what comes of an older one, what counts, and what is to be named', () => {
    for (const act of [
      (talk: Talk) => void talk.add(talk.mallory, undefined, [talk.genesis]),
      ({ graph }: Talk, feeds: readonly Delta[]) => void graph.isAside(graph.get(feeds.at(-1)!.id)!),
      ({ graph, bob }: Talk) => void graph.toNameFirst(feedOf(bob.device, 0)),
    ]) {
      const [few, many] = [asked(20, act), asked(40, act)];
      assert.ok(many < 3 * few + 1, `${few} questions, and ${many} for twice as many`);
    }
  });
});

describe('D8 D2 histories and feeds of two devices', () => {
  it('D8 D2 a hundred branches, each named by another feed, make nothing slow', () => {
    const askedAt = (count: number) => {
      const team = new Team('branches and feeds');
      const [mallory, other] = ['Mallory', 'Other'].map((name) => team.join(name).person) as [Person, Person];
      const { members } = team.founder.replica.roster;
      const [own, others] = [mallory, other].map(({ account }) => members.get(account)!.credential) as [
        DeltaId,
        DeltaId,
      ];
      const take = (from: number, to: number) => {
        for (let i = from; i < to; i++) {
          const branch = team.forge(mallory, { seq: 1, deps: [own], credential: own, body: [`${i}`] });
          const names = { generation: i, seq: 1, deps: [others, branch.id], credential: others };
          for (const one of [team.forge(other, names), branch]) team.founder.hearRuns([one]);
          assert.ok(team.founder.replica.node(branch.id));
        }
      };
      take(0, count);
      const { hasAcknowledged } = OwnFeed.prototype;
      let asked = 0;
      OwnFeed.prototype.hasAcknowledged = function (this: OwnFeed, node) {
        asked++;
        return hasAcknowledged.call(this, node);
      };
      try {
        take(count, count + 1);
      } finally {
        OwnFeed.prototype.hasAcknowledged = hasAcknowledged;
      }
      return asked;
    };
    const [few, many] = [askedAt(25), askedAt(100)];
    assert.ok(many < 5 * few, `asked ${few} times, and ${many} for four times as much`);
  });
});

describe('D8 what waits', () => {
  it('D8 is looked through a few times for one message, however often the same comes in it, or in between something new', () => {
    const team = new Team('again and again');
    const { person: mallory } = team.join('Mallory');
    const credential = team.founder.replica.roster.members.get(mallory.account)!.credential;
    const feedOfHis = (generation: number, count: number) => {
      const feed: Delta[] = [];
      for (let seq = 1; seq <= count; seq++) {
        const deps = seq === 1 ? [credential] : [];
        feed.push(team.forge(mallory, { generation, seq, prev: feed.at(-1)?.id, deps, credential }));
      }
      return feed;
    };
    const [[, , ...waits], more] = [feedOfHis(0, 30), feedOfHis(1, 22)];
    assert.deepEqual(team.founder.hearRuns(waits), []);
    const { wanted } = Graph.prototype;
    let looks = 0;
    Graph.prototype.wanted = function (this: Graph) {
      looks++;
      return wanted.call(this);
    };
    try {
      const again = [waits[0]!];
      team.founder.hearRuns(...more.slice(2).flatMap((one) => [again, [one], again]));
      assert.ok(looks <= 4, `${looks} looks`);
      looks = 0;
      const first = team.forge(mallory, { generation: 2, seq: 1, deps: [credential], credential });
      team.founder.hearRuns(again, [first], again, [waits[1]!]);
      assert.ok(looks > 1, 'what has changed is looked at');
    } finally {
      Graph.prototype.wanted = wanted;
    }
  });
});

describe('K2 words that wait for what never comes', () => {
  it('K2 A10 are looked through a few times for one question, however many of them take the same device out', () => {
    const team = new Team('taken out by a stranger');
    const bob = team.join('Bob');
    const body = controlBody.devices([bob.person.device], boxEpoch(team.crypto, team.epoch, []));
    for (const name of ['Stranger', 'Another']) {
      const stranger = team.person(name);
      const words: Delta[] = [];
      for (let seq = 1; seq <= 30; seq++) {
        const deps = seq === 1 ? ['ab'.repeat(32) as DeltaId] : [];
        const place = { seq, prev: words.at(-1)?.id, deps, tool: undefined };
        words.push(team.forge(stranger, { ...place, kind: 'removeDevice', body }));
      }
      assert.deepEqual(bob.hearRuns(words), []);
    }
    const { waitingDeltas } = Graph.prototype;
    let looks = 0;
    Graph.prototype.waitingDeltas = function (this: Graph) {
      looks++;
      return waitingDeltas.call(this);
    };
    try {
      assert.equal(bob.replica.people.wordAgainst(bob.person.device, bob.person.account), undefined);
    } finally {
      Graph.prototype.waitingDeltas = waitingDeltas;
    }
    assert.ok(looks > 1, 'who stands behind them is looked for');
    assert.ok(looks <= 4, `${looks} looks`);
  });
});

describe('A4 what a device lets go of as it is let in', () => {
  it('A4 D2 a chain through as many feeds of somebody as he likes is not taken off one by one', () => {
    const looksAt = (count: number) => {
      const talk = new Talk();
      const { mallory, genesis } = talk;
      const chain = [talk.add(mallory, undefined, [genesis])];
      while (chain.length < count) chain.push(talk.add(mallory, undefined, [chain.at(-1)!], chain.length));
      const nodes = [genesis, ...chain].map(({ id }) => talk.graph.get(id)!);
      return looks(nodes, () => {
        const gone = talk.graph.letGo(({ device }) => device === mallory.device, talk.bob.device);
        assert.equal(gone.size, count);
      });
    };
    const [some, twice] = [looksAt(50), looksAt(100)];
    assert.ok(twice <= 4 * some, `${some} looks, and of twice as many feeds ${twice}`);
  });
});
