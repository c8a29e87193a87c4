import { planWorld } from './plan.ts';
import { runWorld } from './run-world.ts';
const cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1000;
};
let total = 0,
  big = 0,
  bigN = 0,
  taken = 0;
const n = Number(process.argv[2] ?? 40);
for (let i = 0; i < n; i++) {
  const t = cpu();
  const p = planWorld(`9.${i}`);
  const o = await runWorld(p);
  const ms = cpu() - t;
  total += ms;
  if (p.config.big) {
    big += ms;
    bigN++;
    taken += o.counts.get('deltas taken in');
  }
}
console.log({ per_world: total / n, big: big / bigN, bigN, us_per_taken: (1000 * big) / taken });
