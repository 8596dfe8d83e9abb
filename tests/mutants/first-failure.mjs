/** A jest reporter that tells each failed test as it fails, in one line: a mutant is noticed by the first, and need not wait for the rest. */
export default class FirstFailure {
  onTestCaseResult(_file, { status, fullName }) {
    if (status === 'failed') process.stdout.write(`\nFAILED ${fullName}\n`);
  }

  onTestFileResult(_file, { testExecError, numFailingTests, failureMessage }) {
    if (!testExecError && numFailingTests === 0 && !failureMessage) return;
    const reason = String(testExecError?.message ?? failureMessage ?? '')
      .split('\n')
      .find((line) => line.trim() !== '');
    process.stdout.write(`\nFAILED ${reason ?? 'a file of tests did not run'}\n`);
  }
}
