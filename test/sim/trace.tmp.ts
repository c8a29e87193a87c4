import { planWorld } from './plan.ts';
import { World } from './world.ts';
import { runWorld } from './run-world.ts';
import { readControl } from '../../src/sync/control.ts';
let world: any;
const orig = World.prototype.begin;
World.prototype.begin = function () {
  world = this;
  return orig.call(this);
};
const { violations } = await runWorld(planWorld(process.argv[2]!));
console.log(violations.slice(0, 3));
const name = process.argv[3]!;
const devs = [...world.devices.values()];
const p2: any = devs.find((d: any) => world.nameOf(d.id) === name);
const p0: any = devs[0];
const own = [...p2.replica.nodes()].filter((n: any) => n.delta.device === p2.id);
for (const n of own.slice(0, 6))
  console.log(
    n.delta.kind,
    n.delta.seq,
    n.delta.generation,
    'deps',
    n.delta.deps.map((d: string) => {
      const a = world.archive.get(d);
      return `${world.nameOf(a.device)}/${a.generation} ${a.kind} ${a.seq} p0:${!!p0.replica.node(d)} cut ${p0.replica.cut().get(a.feed)}`;
    }),
    new Date(n.delta.time).toISOString(),
  );
console.log(
  'p0 missing',
  p0.replica.missing().length,
  'active',
  [...p0.replica.active].map((d: any) => world.nameOf(d)).join(' '),
  'outofstep',
  p0.replica.isOutOfStep,
);
console.log(
  'p2 lanes',
  p2.replica.generationsOf(p2.id),
  'p0 has of p2',
  p0.replica.generationsOf(p2.id),
  'vector',
  [...p2.replica.vector()].filter(([f]: any) => f.startsWith(p2.id)),
);
for (const [id, a] of world.archive) {
  if (
    a.tool === undefined &&
    ['admit', 'addDevice', 'remove', 'drop', 'removeDevice', 'leave', 'freeze'].includes(a.kind)
  ) {
    const c: any = readControl(world.crypto, a);
    const who = c?.certificates
      ? c.certificates.map((x: any) => world.nameOf(x.device))
      : c?.devices
        ? c.devices.map((x: any) => world.nameOf(x))
        : world.byAccount.get(c?.account)?.name;
    if (String(who).includes(name.split('.')[0]))
      console.log(world.nameOf(a.device), a.kind, a.seq, who, p0.replica.verdictOf(id), new Date(a.time).toISOString());
  }
}
const g = p0.replica;
const faults = g.ingest(own.map((n: any) => [n.delta.bytes])).faults;
console.log(
  faults,
  g.missing().length,
  g.missing().map((d: string) => {
    const a = world.archive.get(d);
    return a && `${world.nameOf(a.device)} ${a.kind} ${a.seq}`;
  }),
);
console.log(
  'restored',
  [...world.restored].map((d: any) => world.nameOf(d)),
  'abandoned',
  world.abandoned.size,
);
for (const d of devs as any[]) {
  if (world.isHostile(d.id)) continue;
  const p = d.session.memory(p2.id);
  console.log(
    world.nameOf(d.id),
    d.alive,
    'size',
    d.replica.size,
    'held',
    world.heldBy(d).length,
    'base',
    d.replica.hasBase,
    'conf',
    d.replica.isConfirmed,
    'oos',
    d.replica.isOutOfStep,
    'sponsor',
    d.sponsor && world.nameOf(d.sponsor),
    'lacks p2?',
    d.replica.reaches(p2.replica.vector()),
    'offer',
    !!(d.session as any).offerTo?.(p2.id),
    'reach',
    d.session.reach(p2.id),
    'role',
    d.replica.roster.members.get(d.identity.account)?.role,
    'arrivals',
    d.replica.arrivals,
    'parts',
    d.engine.basePartsHere,
  );
}
{
  const d: any = devs.find((x: any) => world.nameOf(x.id) === (process.argv[4] ?? 'P3.0'));
  const mem = d.session.memory(p2.id);
  const mine = new Map(d.replica.vector());
  const theirs = p2.replica.vector();
  console.log('known', mem.known.map((m: any) => `${world.nameOf(m.feed.split('.')[0])}:${m.seq}`).join(' '));
  console.log('theirs', [...theirs].map(([f, q]: any) => `${world.nameOf(f.split('.')[0])}:${q}`).join(' '));
  console.log('mine', [...mine].map(([f, q]: any) => `${world.nameOf(f.split('.')[0])}:${q}`).join(' '));
  console.log(
    'p2 reach to d',
    p2.session.reach(d.id),
    'isPeer',
    p2.session.isPeer(d.id),
    'connected',
    world.network.isOpen(p2.id, d.id),
    'locked',
    p2.id && (p2 as any).epoch?.tag,
    d.epoch.tag,
    'lastword',
    d.session.knowsItIsOut(p2.id),
    'p2 exp',
    p2.engine.expulsion?.delta.kind,
  );
  const sp: any = devs.find((x: any) => x.id === p2.sponsor);
  console.log('sponsor', world.nameOf(sp.id), sp.replica.size, sp.alive);
}
{
  const d: any = devs.find((x: any) => world.nameOf(x.id) === (process.argv[4] ?? 'P3.0'));
  console.log(
    'lacking',
    d.replica
      .lacking(p2.replica.vector(), 65536)
      .map((r: any) => `${world.nameOf(r[0].delta.device)} ${r[0].delta.seq}+${r.length}`)
      .join(' '),
  );
  const { passageOf } = await import('../../src/sync/passage.ts');
  const pass = passageOf(d.engine.keys, p2.id, p2.replica.vector(), undefined);
  console.log(
    'until',
    pass.until &&
      `${pass.until.delta.kind} ${pass.until.delta.seq} ${world.nameOf(pass.until.delta.device)} height ${pass.until.height}`,
    pass.under,
    pass.keyFirst,
  );
  if (pass.until)
    console.log(
      [...d.replica.vector().keys()]
        .map((f: any) => `${world.nameOf(f.split('.')[0])}:${d.replica.reach(pass.until, f)}`)
        .join(' '),
    );
  console.log(
    'steps',
    d.engine.keys.stepsOf(p2.id).map((s: any) => `${s.tag} ${s.by?.delta?.kind} ${s.by?.delta?.seq}`),
  );
}
{
  const d: any = devs.find((x: any) => world.nameOf(x.id) === (process.argv[4] ?? 'P3.0'));
  const res = p2.replica.ingest(
    d.replica.lacking(p2.replica.vector(), 1e9).map((r: any) => r.map((n: any) => n.delta.bytes)),
  );
  console.log(
    'added',
    res.added.length,
    'faults',
    res.faults,
    'missing',
    res.missing.length,
    res.missing.slice(0, 3).map((i: string) => {
      const a = world.archive.get(i);
      return `${world.nameOf(a.device)} ${a.kind} ${a.seq} base ${p2.replica.cut().get(a.feed)} d has ${!!d.replica.node(i)}`;
    }),
  );
}
{
  const d: any = devs.find((x: any) => world.nameOf(x.id) === (process.argv[4] ?? 'P3.0'));
  for (const id of p2.replica.missing()) {
    const a = world.archive.get(id);
    for (const x of world.archive.values())
      if ((x as any).deps.includes(id))
        console.log(
          world.nameOf(x.device),
          x.generation,
          x.kind,
          x.seq,
          'names',
          world.nameOf(a.device),
          a.seq,
          'prev in p2 base',
          p2.replica.cut().get(x.feed),
          new Date(x.time).toISOString(),
          world.isHostile(x.device),
        );
  }
  for (const id of world.archive.keys()) {
    const a: any = world.archive.get(id);
    if (['drop', 'removeDevice', 'remove', 'leave', 'freeze', 'admit', 'addDevice'].includes(a.kind))
      console.log(
        a.kind,
        a.seq,
        world.nameOf(a.device),
        new Date(a.time).toISOString(),
        p2.replica.node(id) ? 'in p2 base' : '',
        d.replica.verdictOf(id),
      );
  }
}
