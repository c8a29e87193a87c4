// Mocha's own report for people, and the counts for the runner: the file that COTERIE_TEST_COUNTS names.
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class CountingReporter {
  constructor(runner, options) {
    const Shown = reporters[process.env['COTERIE_TEST_REPORTER'] ?? 'Spec'];
    new Shown(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(process.env['COTERIE_TEST_COUNTS'], JSON.stringify({ passes, failures, pending }));
    });
  }
};
