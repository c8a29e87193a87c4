/** A failing world with as few acts as still fail: what to read when one looks for the cause. */
import type { Plan } from './plan.ts';
import { runWorld } from './run-world.ts';

/** Tries at most so many worlds; answers the smallest plan that broke one of the rules the whole one broke. */
export async function shrink(plan: Plan, rules: ReadonlySet<string>, tries: number): Promise<Plan> {
  let best = plan;
  let left = tries;
  const fails = async (acts: Plan['acts']): Promise<boolean> => {
    left--;
    const { violations } = await runWorld({ ...best, acts });
    return violations.some(({ rule }) => rules.has(rule));
  };
  for (let share = Math.ceil(best.acts.length / 2); share >= 1 && left > 0;) {
    let dropped = false;
    for (let at = 0; at < best.acts.length && left > 0;) {
      const acts = [...best.acts.slice(0, at), ...best.acts.slice(at + share)];
      if (await fails(acts)) {
        best = { ...best, acts };
        dropped = true;
      } else at += share;
    }
    if (!dropped || share > best.acts.length) share = share === 1 ? 0 : Math.ceil(share / 2);
  }
  return best;
}
