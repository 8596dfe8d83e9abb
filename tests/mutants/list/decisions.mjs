import { inFile, inStatement } from '../change.mjs';

const decideRun = 'libs/core/src/advance/decide-run.ts';
const writer = 'libs/store/src/advance/decision-writer.ts';
const advance = ['services/scheduler/src/advance'];
const unit = ['libs/core/src/advance'];

/** State changes: one decision per run, written whole on the rev that it was made on. */
export const decisions = [
  {
    name: 'no-rev-guard',
    rule: 'A decision is written only while the rev that it was made on stands.',
    ...inFile(
      'libs/store/src/statement.ts',
      'return { name, text, arrays: arrayTypesOf(text) };',
      "return { name, text: text.replaceAll(/ and l\\.rev = [md]\\.rev/g, ''), arrays: arrayTypesOf(text) };",
    ),
    suites: { integration: advance },
  },
  {
    name: 'rev-not-counted-up',
    rule: 'Every transaction that changes a run counts its rev up.',
    ...inStatement('live_write', ['set rev = l.rev + 1,', 'set rev = l.rev,']),
    suites: { integration: advance },
  },
  {
    name: 'cancel-keeps-the-rev',
    rule: 'A command counts the rev up as well, so that a decision made before it is made again.',
    ...inStatement('run_cancel', ['set rev = l.rev + 1, phase', 'set phase']),
    suites: { integration: advance },
  },
  {
    name: 'locks-in-any-order',
    rule: 'Run rows are locked in the order of their ids, so that no two batches wait for each other in a circle.',
    ...inStatement('live_lock', ['order by d.run_id', '']),
    suites: { integration: ['libs/store/src/advance'] },
  },
  {
    name: 'no-fold',
    rule: 'The reports of one batch are folded per run: none of them vanishes because another came with it.',
    ...inFile(
      decideRun,
      'for (const event of events) draft.verdicts.push(take(draft, event));',
      "for (const event of events) draft.verdicts.push(event === events[0] ? take(draft, event) : 'settled');",
    ),
    suites: { unit, sim: true, scope: true, integration: advance },
  },
  {
    name: 'zero-rows-taken-for-an-answer',
    rule: 'A report that changed nothing is acknowledged only after a read has shown why.',
    ...inFile(
      'services/scheduler/src/advance/advance.service.ts',
      '} else if (!admitting) again.set(runId, events);',
      "} else if (!admitting) for (const event of events) verdicts.set(event, 'settled');",
    ),
    suites: { unit: ['services/scheduler/src/advance'], sim: true, scope: true, integration: advance },
  },
  {
    name: 'one-bad-row-sinks-the-batch',
    rule: 'A batch that the database refuses is halved until the guilty run stands alone.',
    ...inFile(
      'services/scheduler/src/advance/advance.service.ts',
      'if (made.length === 1 && first) {\n        refused.set(first.decision.runId, error instanceof Error ? error.message : String(error));',
      'if (first) {\n        for (const { decision } of made) refused.set(decision.runId, String(error));',
    ),
    suites: { integration: advance },
  },
  {
    name: 'start-not-implied',
    rule: 'An end report on a DISPATCHED step implies its start: both edges are audited.',
    ...inFile(decideRun, "return step.state === 'DISPATCHED' ? ['RUNNING', end] : [end];", 'return [end];'),
    suites: { unit, sim: true, scope: true, integration: advance },
  },
  {
    name: 'join-lowered-once-per-batch',
    rule: 'A join counts each of its needs that ended, also those of one batch.',
    ...inFile('libs/core/src/advance/run-draft.ts', 'const by = (this.lowered.get(no) ?? 0) + 1;', 'const by = 1;'),
    suites: { unit, sim: true, integration: advance },
  },
  {
    name: 'join-lowered-by-one-in-rows',
    rule: 'A join is lowered by the number of its needs that really ended.',
    ...inStatement('waits_lower', ['set unmet = w.unmet - m.ended', 'set unmet = w.unmet - 1']),
    suites: { integration: advance },
  },
  {
    name: 'output-apart-from-the-move',
    rule: 'What a step put out is committed with its end, in one transaction.',
    ...inFile(
      writer,
      '      return await this.connection.transaction(async (tx) => {\n',
      '      const apart = new Batch(decisions).onlyResults();\n      await this.connection.transaction((tx) => Promise.all(apart.map(({ sql, columns }) => tx.query(sql, columns))));\n      return await this.connection.transaction(async (tx) => {\n',
    ),
    also: [
      inFile(writer, '    this.results();\n', ''),
      inFile(
        writer,
        '  private results(): void {\n',
        '  onlyResults() {\n    this.results();\n    return this.prepared;\n  }\n\n  private results(): void {\n',
      ),
    ],
    suites: { sim: true, integration: advance },
  },
  {
    name: 'retries-without-end',
    rule: 'A policy bounds its retries.',
    ...inFile('libs/core/src/advance/retry.ts', 'return error.retryable && attempt < policy.attempts &&', 'return error.retryable &&'),
    suites: { unit, sim: true },
  },
  {
    name: 'loss-counts-as-an-attempt',
    rule: 'The attempt counts retries by policy only; a lost worker or message does not use one up.',
    ...inFile(decideRun, "['DISPATCHED'], {\n    workerLosses,", "['DISPATCHED'], {\n    attempt: step.attempt + 1,\n    workerLosses,"),
    suites: { unit, sim: true, integration: ['services/scheduler/src/sweep'] },
  },
  {
    name: 'task-tells-another-attempt',
    rule: 'A task tells the attempt that its row counts.',
    ...inFile(decideRun, 'const attempt = change.attempt ?? step.attempt;', 'const attempt = change.attempt ?? step.attempt + 1;'),
    suites: { unit, sim: true, integration: ['services/scheduler/src/sweep'] },
  },
  {
    name: 'retry-timer-kept',
    rule: 'A timer goes with the move that it caused.',
    ...inFile(decideRun, "draft.clearTimer(step.no, 'retry');", ''),
    suites: { unit, sim: true, scope: true, integration: ['services/scheduler/src/sweep'] },
  },
  {
    name: 'run-ends-before-its-steps',
    rule: 'A run is terminal only when all its steps are.',
    ...inFile(
      decideRun,
      "if (draft.remaining === 0 && (runs || draft.state === 'WAITING'))",
      "if ((draft.remaining === 0 || draft.failed) && (runs || draft.state === 'WAITING'))",
    ),
    suites: { unit, sim: true, integration: advance },
  },
];
