/**
 * `N passed, N failed` with `, N skipped` where tests were. A test file that did not load and a runner that
 * failed for another reason (an error outside tests) count as failed, so that the line never looks better
 * than the exit code.
 */
export function tallyLine({ exitCode, results }, brokenChecks) {
  const passed = results?.numPassedTests ?? 0;
  const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
  const unloaded = (results?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  let failed = (results?.numFailedTests ?? 0) + unloaded;
  if (failed === 0 && exitCode !== 0) failed = 1;
  failed += brokenChecks;
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
