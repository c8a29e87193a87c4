import { planWorld } from './plan.ts';
import { World } from './world.ts';
import { runWorld } from './run-world.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
let world: any;
const orig = World.prototype.begin;
World.prototype.begin = function () {
  world = this;
  return orig.call(this);
};
const name = process.argv[3]!;
const ov = World.prototype.violate;
World.prototype.violate = function (rule: string, detail: string) {
  ov.call(this, rule, detail);
  if (rule !== 'L5') return;
  const d: any = [...world.devices.values()].find((d: any) => world.nameOf(d.id) === detail.split(/['’ ]/)[0]);
  const batch = new Replica({
    crypto: world.crypto,
    workspace: world.workspace,
    reducers: [chatReducer, filesReducer],
    own: ('0'.repeat(64) + '.0') as any,
  });
  const held = world.heldBy(d);
  for (const x of held) batch.restore(x.bytes);
  console.log('held', held.length, 'batch', batch.size, 'replica', d.replica.size, detail);
  const rows = (r: any) =>
    new Map(
      [...r.rows()].map((x: any) => [
        `${x.tool.slice(-2)} ${x.table} ${x.key.slice(0, 8)}`,
        JSON.stringify(x.row, (k, v) => (v instanceof Uint8Array ? Buffer.from(v).toString('hex').slice(0, 8) : v)),
      ]),
    );
  const [a, b] = [rows(d.replica), rows(batch)];
  for (const [k, v] of a) if (b.get(k) !== v) console.log('pruned', k, v, '\n batch', b.get(k));
  for (const [k, v] of b) if (!a.has(k)) console.log('only batch', k, v);
  const J = (r: any) => {
    const { name, members, tools, invites, epochs } = r.roster;
    return {
      name,
      members: [...members.values()]
        .map(
          (m: any) =>
            `${m.account.slice(0, 6)} ${m.name} ${m.role} ${m.credential.slice(0, 6)} ${m.devices.map((x: any) => world.nameOf(x.certificate.device) + x.relay + x.name)}`,
        )
        .sort(),
      tools: [...tools.values()].map((t: any) => `${t.kind} ${t.name} ${t.tool}`),
      invites: [...invites.values()].map((i: any) => `${i.id.slice(0, 5)} ${i.usesLeft} ${i.revoked}`),
      epochs: epochs.map((e: any) => e.maker.delta.id.slice(0, 5)),
    };
  };
  const [ja, jb] = [J(d.replica), J(batch)];
  for (const k of Object.keys(ja) as (keyof typeof ja)[])
    if (JSON.stringify(ja[k]) !== JSON.stringify(jb[k])) console.log('roster', k, '\n', ja[k], '\n', jb[k]);
  for (const x of held)
    console.log(
      world.nameOf(x.device),
      x.generation,
      x.kind,
      x.seq,
      x.id.slice(0, 5),
      'deps',
      x.deps
        .map((i: string) => {
          const y = world.archive.get(i);
          return y && world.nameOf(y.device) + ' ' + y.seq;
        })
        .join(),
      new Date(x.time).toISOString().slice(11),
      'batch',
      batch.verdictOf(x.id),
      batch.node(x.id)!.height,
    );
  for (const n of d.replica.nodes()) {
    const [v, w] = [d.replica.verdictOf(n.delta.id), batch.verdictOf(n.delta.id)];
    if (v !== w) console.log('verdict', n.delta.kind, n.delta.seq, world.nameOf(n.delta.device), v, w);
  }
};
await runWorld(planWorld(process.argv[2]!));
