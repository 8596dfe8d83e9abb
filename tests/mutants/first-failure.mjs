import { relative } from 'node:path';

/** A jest reporter that tells each failed test as it fails, in one line: a mutant is noticed by the first, and need not wait for the rest. */
export default class FirstFailure {
  onTestCaseResult({ path }, { status, fullName }) {
    if (status === 'failed') tell(path, fullName);
  }

  onTestFileResult({ path }, { testExecError, numFailingTests, failureMessage }) {
    if (numFailingTests > 0 || (!testExecError && !failureMessage)) return;
    const reason = String(testExecError?.message ?? failureMessage ?? '')
      .split('\n')
      .find((line) => line.trim() !== '');
    tell(path, reason ?? 'a file of tests did not run');
  }
}

/** On a line of its own, behind whatever the tests have printed. */
function tell(path, what) {
  process.stdout.write(`\nFAILED ${relative(process.cwd(), path)}: ${what}\n`);
}
