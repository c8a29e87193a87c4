// npm run vectors: writes to test/vectors, as the source has it today, those vectors of the format that are not there. The others are what the
// format is.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { FORMAT } from '../src/base/format.ts';
import { fileOf, SETS, vectorFolder } from '../test/vectors/files.ts';

for (const set of SETS) {
  const path = join(vectorFolder, set.file);
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { format: number }).format : undefined;
  if (before === FORMAT) {
    console.log(`  frozen   ${set.file}`);
    continue;
  }
  writeFileSync(path, await format(JSON.stringify(fileOf(set)), { parser: 'json', printWidth: 120 }));
  console.log(`  written  ${set.file}`);
}
