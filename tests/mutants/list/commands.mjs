import { inFile, inMigration, inStatement } from '../change.mjs';

const api = ['services/api/src/runs'];
const submit = ['services/api/src/runs/submit.int.test.ts'];
const commandsTest = ['services/api/src/runs/commands.int.test.ts'];
const guards = ['libs/store/src/guards-moves.int.test.ts'];

/** Commands of people, submission, and the audit. */
export const commands = [
  {
    name: 'cancel-does-not-stop-dispatch',
    rule: 'A run that is being cancelled begins nothing more.',
    ...inFile(
      'libs/core/src/advance/decide-ready.ts',
      "if (draft.state !== 'RUNNING') return;",
      "if (draft.state !== 'RUNNING' && draft.state !== 'CANCELLING') return;",
    ),
    suites: { unit: ['libs/core/src/advance'], sim: true, scope: true },
  },
  {
    name: 'cancel-marks-not-read',
    rule: 'A control key is read before each start: a cancel that was not heard is found there.',
    ...inFile('services/worker/src/steps/task-intake.ts', 'else if (cancelled.has(verdict.task))', 'else if (cancelled.size < 0)'),
    by: 'integration',
    suites: { sim: true, integration: ['services/worker/src/worker.int.test.ts'] },
  },
  {
    name: 'cancel-marks-not-written',
    rule: 'What workers must drop is marked, since nobody may be listening.',
    ...inFile('services/scheduler/src/advance/task-sender.ts', 'const marked = drop.map(', 'const marked = drop.slice(drop.length).map('),
    by: 'integration',
    suites: { sim: true, integration: ['services/scheduler/src/advance', 'services/scheduler/src/scheduler.int.test.ts'] },
  },
  {
    name: 'mark-voids-later-dispatches',
    rule: 'A cancel mark voids dispatches up to its number, not those that were sent after it.',
    ...inFile(
      'services/worker/src/steps/task-intake.ts',
      'return mark !== null && !(Number(mark) < dispatchNo);',
      'return mark !== null && dispatchNo > 0;',
    ),
    by: 'integration',
    suites: { sim: true, integration: ['services/worker/src/worker.int.test.ts'] },
  },
  {
    name: 'heartbeat-not-answered',
    rule: "A lost cancel is repaired by the heartbeat's answer.",
    ...inFile(
      'services/scheduler/src/heartbeats/heartbeat.service.ts',
      'this.answer(staying, await this.sessions.staleHolds(staying));',
      'await this.sessions.staleHolds(staying);',
    ),
    by: 'integration',
    suites: { sim: true, integration: ['services/scheduler/src/heartbeats'] },
  },
  {
    name: 'cancel-ignores-the-version',
    rule: 'A command acts only on the version that its caller saw.',
    ...inStatement('run_cancel', [' and r.version = coalesce($4::int, r.version)', ' and coalesce($4::int, 0) >= 0']),
    suites: { integration: commandsTest },
  },
  {
    name: 'retries-do-not-take-turns',
    rule: 'Retries of one ended run take turns: one of them starts it over.',
    ...inFile(
      'libs/store/src/commands.ts',
      'Promise.all([tx.query(RUN_HOLD, [runId]), tx.query<{ id: string }>(RUN_LIVE_RETRY, [runId])]);',
      'Promise.all([undefined, tx.query<{ id: string }>(RUN_LIVE_RETRY, [runId])]);',
    ),
    suites: { integration: commandsTest },
  },
  {
    name: 'idempotency-key-ignored',
    rule: 'One idempotency key starts one run.',
    ...inFile(
      'services/api/src/runs/run-submitter.ts',
      '(request.idempotencyKey === null ? this.plain : this.keyed).submit(request)',
      'this.plain.submit(request)',
    ),
    suites: { integration: submit },
  },
  {
    name: 'idempotency-body-not-compared',
    rule: 'A key with another body is a mistake, not a repetition.',
    ...inFile('libs/store/src/submit.ts', "kind: winner.body_hash.equals(run.bodyHash) ? 'repeated' : 'mismatch',", "kind: 'repeated',"),
    suites: { integration: submit },
  },
  {
    name: 'last-claim-wins-the-key',
    rule: 'An idempotency key stands for the first run that claimed it.',
    ...inStatement('idempotency_claim', [
      'on conflict (scope, key) do nothing',
      'on conflict (scope, key) do update set run_id = excluded.run_id, body_hash = excluded.body_hash',
    ]),
    suites: { integration: submit },
  },
  {
    name: 'unknown-commit-told-as-failed',
    rule: 'An unknown commit is answered by reading.',
    ...inFile(
      'services/api/src/runs/run-inserter.ts',
      'if (!isRefusedByDatabase(error)) return this.afterLostAnswer(runs, submit);',
      'if (!isRefusedByDatabase(error)) return runs.map(() => ({ error }));',
    ),
    suites: { integration: api },
  },
  {
    name: 'audit-skips-the-second-hop',
    rule: 'Each hop of an update that makes two is audited.',
    ...inMigration(
      '0005-audit',
      [
        'join step_edges e on e.leaves = n.via and e.enters = n.state\n   where n.via is not null and',
        'join step_edges e on e.leaves = n.via and e.enters = n.state\n   where false and',
      ],
      [
        'select count(*) + count(via) into due from added;\n  if audited = due then return null; end if;\n\n  select n.run_id',
        'select count(*) into due from added;\n  if audited = due then return null; end if;\n\n  select n.run_id',
      ],
    ),
    suites: { integration: guards },
  },
  {
    name: 'illegal-moves-pass-the-trigger',
    rule: 'The trigger is the last wall: it refuses a move that the graph does not have.',
    ...inMigration('0005-audit', [
      'join step_edges e on e.leaves = o.state and e.enters = coalesce(n.via, n.state)\n   where n.version',
      '\n   where n.version',
    ]),
    suites: { integration: guards },
  },
  {
    name: 'ended-step-has-an-exit',
    rule: 'Terminal states have no exits.',
    ...inFile(
      'libs/core/src/states.ts',
      'SUCCEEDED: [],\n  FAILED: [],\n  TIMED_OUT: [],\n',
      "SUCCEEDED: ['RUNNING'],\n  FAILED: [],\n  TIMED_OUT: [],\n",
    ),
    also: [inMigration('0001-graph', ["('RETRYING','DISPATCHED'),", "('RETRYING','DISPATCHED'), ('SUCCEEDED','RUNNING'),"])],
    suites: { unit: ['libs/core/src/graph.test.ts', 'tests/docs/state-machine.test.ts'], integration: guards },
  },
  {
    name: 'move-without-a-cause-of-its-own',
    rule: 'Each move carries a new cause, so that nobody inherits the last actor.',
    ...inMigration('0005-audit', ['and n.cause_id <> o.cause_id\n  union all\n  select n.run_id,', '\n  union all\n  select n.run_id,']),
    suites: { integration: guards },
  },
];
