import type { SuiteRun } from './suites.ts';
import { runSuite, type Outcome } from './trial.ts';

/** How often a part of a suite that fails without a mutant is tried again: on a machine that is short of breath a test may miss its time. */
const AGAIN_MAX = 2;

/** A failure with a mutant says nothing when the same tests fail without one: before a part of a suite is asked the first time, it has to pass. */
export class Soundness {
  private readonly known = new Map<string, Outcome>();

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Null when the part passes without a mutant; else that it says nothing. */
  async faultOf(part: SuiteRun): Promise<Outcome | null> {
    const key = part.args.join(' ');
    const outcome = this.known.get(key) ?? (await this.ask(part));
    this.known.set(key, outcome);
    if (outcome.kind === 'passed') return null;
    return { kind: 'broken', how: `it does not even pass without a mutant: ${outcome.how}`, seconds: outcome.seconds };
  }

  private async ask(part: SuiteRun): Promise<Outcome> {
    let outcome = await runSuite(part, null, this.env);
    for (let again = 0; outcome.kind !== 'passed' && again < AGAIN_MAX; again += 1) outcome = await runSuite(part, null, this.env);
    return outcome;
  }
}
