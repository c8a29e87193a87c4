/** What a figure depends on, and nothing that tells whose machine it was: no host names, no paths. */
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

export function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release().split('-')[0]} ${arch()}`,
    node: process.version,
    load_1min: Number(loadavg()[0]!.toFixed(2)),
  };
}
