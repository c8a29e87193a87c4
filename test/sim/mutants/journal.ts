/** What the disk keeps. */
import type { Mutant } from './mutant.ts';

const tests = ['test/store/journal.test.ts'];

export const journal: readonly Mutant[] = [
  {
    name: 'durable before the fsync',
    rule: 'L1',
    file: 'src/store/journal.ts',
    search: 'try { await file.sync(); } catch (error) { await this.#abandon(writer); throw error; }',
    replace: '',
    tests,
  },
  {
    name: 'on after a failed fsync',
    rule: 'L1',
    file: 'src/store/journal.ts',
    search: 'await file.sync(); } catch (error) { await this.#abandon(writer); throw error; }',
    replace: 'await file.sync(); } catch (error) { throw error; }',
    tests,
  },
  {
    name: 'a group is half there',
    rule: 'L1',
    file: 'src/store/journal.ts',
    search: 'packEntries(Purpose.entries, entries, offset - length)',
    replace: 'packEntries(Purpose.entries, entries, 0)',
    tests,
  },
  {
    name: 'a record counts in any place',
    rule: 'L1',
    file: 'src/store/record.ts',
    search: 'view.setBigUint64(25, BigInt(offset), true);',
    replace: '',
    tests,
  },
  {
    name: 'a stale owner’s late writes count',
    rule: 'L3',
    file: 'src/store/segment.ts',
    search: 'view.setBigUint64(8, BigInt(length), true);',
    replace: 'view.setBigUint64(8, BigInt(2 ** 40), true);',
    tests,
  },
  {
    name: 'a snapshot under its name before it is whole',
    rule: 'L1',
    file: 'src/store/snapshot.ts',
    search: 'await file.sync(); await file.close(); await disk.rename',
    replace: 'await file.close(); await disk.rename',
    tests,
  },
];
