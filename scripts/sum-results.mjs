// Adds up what the test runs reported, and closes with one line: "N passed, N failed, N skipped".
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory, failedSteps] = process.argv.slice(2);
let [passed, failed, skipped] = [0, 0, 0];
for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(join(directory, file), 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + (report.numTodoTests ?? 0);
}
// A step that failed without a failed test (a build, an installation, the quickstart) counts as one failure.
failed += Math.max(0, Number(failedSteps) - failed);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
