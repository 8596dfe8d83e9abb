import { inFile } from '../change.mjs';

const groupConsumer = 'libs/transport/src/consumer/group-consumer.ts';
const transport = ['libs/transport/src/in-process/in-process-stream-transport.int.test.ts'];
const redis = ['libs/transport/src/redis'];
const worker = ['services/worker/src/worker.int.test.ts'];

/** Messages: their order, their redelivery, links that fall silent. */
export const messages = [
  {
    name: 'ack-before-commit',
    rule: 'Reports are acknowledged after the commit of what they moved.',
    ...inFile(
      'services/scheduler/src/reports/report.service.ts',
      'async apply(batch: readonly Delivery[]): Promise<void> {',
      'async apply(batch: readonly Delivery[]): Promise<void> {\n    void this.applyLater(batch).catch(() => undefined);\n  }\n\n  private async applyLater(batch: readonly Delivery[]): Promise<void> {',
    ),
    suites: {
      sim: true,
      scope: true,
      integration: ['services/scheduler/src/scheduler.int.test.ts'],
      e2e: ['tests/e2e/reports.e2e.test.ts'],
    },
  },
  {
    name: 'task-acknowledged-before-its-report',
    rule: 'A worker adds the report, then acknowledges the task.',
    ...inFile(
      'services/worker/src/reports/report-queue.ts',
      'await this.transport.addThenAck(entries, acks, groups.workers);',
      'await this.transport.addThenAck([], acks, groups.workers);\n      await this.transport.addThenAck(entries, [], groups.workers);',
    ),
    suites: { unit: ['services/worker/src/reports'], sim: true, scope: true },
  },
  {
    name: 'report-dropped-in-an-outage',
    rule: 'A report is sent until it has arrived.',
    ...inFile('services/worker/src/reports/report-queue.ts', 'if (!(await this.send(batch))) continue;', 'await this.send(batch);'),
    suites: { unit: ['services/worker/src/reports'], sim: true, integration: ['services/worker/src/worker-faults.int.test.ts'] },
  },
  {
    name: 'redelivered-task-runs-again',
    rule: 'Only the scheduler hands a step out again: a redelivered task is skipped.',
    ...inFile(
      'services/worker/src/steps/decide-intake.ts',
      "if (delivery.deliveries > 1) return { kind: 'skip', why: 'redelivered' };",
      '',
    ),
    suites: { unit: ['services/worker/src/steps'], sim: true, scope: true, integration: worker },
  },
  {
    name: 'doubled-task-runs-twice',
    rule: 'A worker holds one dispatch of a step at a time.',
    ...inFile('services/worker/src/steps/decide-intake.ts', "if (held === task.dispatchNo) return { kind: 'skip', why: 'duplicate' };", ''),
    suites: { unit: ['services/worker/src/steps'], sim: true, integration: worker },
  },
  {
    name: 'task-of-another-epoch-runs',
    rule: 'Tasks from before a restore are not run after it.',
    ...inFile('services/worker/src/steps/decide-intake.ts', "if (task.epoch !== view.epoch) return { kind: 'skip', why: 'stale' };", ''),
    suites: { unit: ['services/worker/src/steps'], integration: worker },
  },
  {
    name: 'drain-keeps-what-it-holds',
    rule: 'A worker that leaves hands back what it has not begun.',
    ...inFile('services/worker/src/sessions/worker-session.ts', 'await this.handBack(this.lanes.unstarted());', 'this.lanes.unstarted();'),
    suites: { sim: true, integration: worker },
  },
  {
    name: 'effect-key-per-attempt',
    rule: 'All attempts of a step carry one idempotency key.',
    ...inFile(
      'services/scheduler/src/advance/task-sender.ts',
      'idempotencyKey: `${run.head.id}:${no}`,',
      'idempotencyKey: `${run.head.id}:${no}:${attempt}`,',
    ),
    suites: { sim: true, integration: ['services/scheduler/src/advance', 'services/scheduler/src/scheduler.int.test.ts'] },
  },
  {
    name: 'effect-key-per-dispatch',
    rule: 'A step that is sent again carries the idempotency key of before.',
    ...inFile(
      'services/scheduler/src/advance/task-sender.ts',
      'idempotencyKey: `${run.head.id}:${no}`,',
      'idempotencyKey: `${run.head.id}:${no}#${dispatchNo}`,',
    ),
    suites: { sim: true, integration: ['services/scheduler/src/sweep', 'services/scheduler/src/scheduler.int.test.ts'] },
  },
  {
    name: 'one-effect-key-for-all-steps',
    rule: 'Each step has an idempotency key of its own.',
    ...inFile('services/scheduler/src/advance/task-sender.ts', 'idempotencyKey: `${run.head.id}:${no}`,', 'idempotencyKey: run.head.id,'),
    suites: { sim: true, integration: ['services/scheduler/src/advance', 'services/scheduler/src/scheduler.int.test.ts'] },
  },
  {
    name: 'no-dead-letters',
    rule: 'What cannot be handled becomes a dead letter after a bounded number of deliveries.',
    ...inFile(groupConsumer, 'if (deliveries >= this.settings.deliveriesMax) return', 'if (deliveries < 0) return'),
    also: [
      inFile(
        groupConsumer,
        'const spent = found.filter((entry) => entry.deliveries >= this.settings.deliveriesMax);',
        'const spent = found.filter((entry) => entry.deliveries < 0);',
      ),
      inFile(
        groupConsumer,
        'entry.deliveries < this.settings.deliveriesMax).slice(0, capacity);',
        'entry.deliveries >= 0).slice(0, capacity);',
      ),
    ],
    suites: { integration: transport },
  },
  {
    name: 'failed-messages-acknowledged',
    rule: 'A message that was not handled is not acknowledged.',
    ...inFile(
      'libs/transport/src/consumer/handing-over.ts',
      'this.outcome.handled(whole === undefined ? batch.filter((delivery) => !failed?.has(delivery)) : []);',
      'this.outcome.handled(batch);',
    ),
    suites: { integration: transport },
  },
  {
    name: 'group-begins-at-the-end',
    rule: 'What was added before its group existed, or before it was lost, is delivered.',
    ...inFile(
      'libs/transport/src/redis/redis-group.ts',
      "pipeline.xgroup('CREATE', this.keys.of(stream), group, '0', 'MKSTREAM');",
      "pipeline.xgroup('CREATE', this.keys.of(stream), group, '$', 'MKSTREAM');",
    ),
    suites: { integration: ['libs/transport/src/redis/redis-stream-transport.int.test.ts'] },
  },
  {
    name: 'silent-link-not-pinged',
    rule: 'A link that swallows packets is noticed by its missing answer, and made anew.',
    ...inFile('libs/transport/src/redis/redis-link.ts', "if (this.role !== 'reader' && this.ready && !this.pinging)", 'if (this.pinging)'),
    suites: { integration: redis },
  },
  {
    name: 'silent-read-waits-for-ever',
    rule: 'A waiting read has a deadline.',
    ...inFile('libs/transport/src/redis/redis-group.ts', 'request.blockMs + pingTimeoutMs);', '2_000_000_000);'),
    suites: { integration: redis },
  },
];
