import type { CheckOptions } from './check-invariants.ts';
import type { MixedRuns } from './given-mixed.ts';

/** A corruption that a superuser plants with the triggers off, and the codes that the checker must then find: these and no others. */
export interface Planted {
  readonly name: string;
  readonly plant: (runs: MixedRuns) => string;
  readonly breaks: readonly string[];
  readonly options?: (runs: MixedRuns) => CheckOptions;
}

const audit = 'workflow_transition_audit';
const columns =
  'workflow_id, step_no, version, step, previous_state, new_state, cause_id, actor, attempt, epoch, dispatch_no, transitioned_at, db_role';

export const PLANTED: readonly Planted[] = [
  {
    name: 'I1: a live row was lost',
    plant: ({ created }) => `delete from live_runs where run_id = '${created.id}'`,
    breaks: ['check.run.live_row_missing'],
  },
  {
    name: 'I1: a live row of a run that ended came back',
    plant: ({ succeeded }) =>
      `insert into live_runs (run_id, remaining, deployment_id, workflow_id) select id, 0, deployment_id, workflow_id from workflow_runs where id = '${succeeded.id}'`,
    breaks: ['check.run.live_row_orphan'],
  },
  {
    name: 'I1: a run that ended is not found among the ended ones',
    plant: ({ succeeded }) => `delete from ended_runs where run_id = '${succeeded.id}'`,
    breaks: ['check.run.ended_row_missing'],
  },
  {
    name: 'I1: a run is among the ended ones of another state',
    plant: ({ succeeded }) =>
      `insert into ended_runs select (e).* from (select jsonb_populate_record(e, '{"state": "FAILED"}') as e from ended_runs e where run_id = '${succeeded.id}') as copied`,
    breaks: ['check.run.ended_row_orphan'],
  },
  {
    name: 'I1: a run that ended is found with another team',
    plant: ({ succeeded }) => `update ended_runs set team = 'elsewhere' where run_id = '${succeeded.id}'`,
    breaks: ['check.run.ended_row_missing'],
  },
  {
    name: 'I1: a run that ended is found with another workflow',
    plant: ({ succeeded }) => `update ended_runs set workflow_id = gen_random_uuid() where run_id = '${succeeded.id}'`,
    breaks: ['check.run.ended_row_missing'],
  },
  {
    name: 'I1: a run under way is found in another environment',
    plant: ({ created }) => `update live_runs set environment = 'elsewhere' where run_id = '${created.id}'`,
    breaks: ['check.run.live_row_differs'],
  },
  {
    name: 'I1: a run that was just created counts as held back',
    plant: ({ created }) => `update live_runs set held = true where run_id = '${created.id}'`,
    breaks: ['check.run.phase_differs'],
  },
  {
    name: 'I1: a live row is in the phase of another state',
    plant: ({ created }) => `update live_runs set phase = 'cancelling' where run_id = '${created.id}'`,
    breaks: ['check.run.phase_differs'],
  },
  {
    name: 'I1: a running run lost its only step',
    plant: ({
      dispatched: { id },
    }) => `delete from step_runs where run_id = '${id}'; delete from ${audit} where workflow_id = '${id}' and step_no = 1;
      update live_runs set active = 0 where run_id = '${id}'`,
    breaks: ['check.run.stuck'],
  },
  {
    name: 'I1: the timer that would wake a step was lost',
    plant: ({ delayed }) => `delete from timers where run_id = '${delayed.id}'`,
    breaks: ['check.step.timer_missing'],
  },
  {
    name: 'I1: an idempotency key has no run',
    plant: () => `update idempotency_keys set run_id = flowforge_uuidv7()`,
    breaks: ['check.key.run_missing'],
  },
  {
    name: 'I2: a state was changed without the audit',
    plant: ({ created: { id } }) =>
      `update workflow_runs set state = 'QUEUED' where id = '${id}'; update live_runs set held = true where run_id = '${id}'`,
    breaks: ['check.audit.state_differs'],
  },
  {
    name: 'I2: a move was made that is no edge of the graph',
    plant: ({ succeeded: { id } }) => `delete from ${audit} where workflow_id = '${id}' and step_no = 1 and version = 2;
      update ${audit} set version = 2, previous_state = 'DISPATCHED' where workflow_id = '${id}' and step_no = 1 and version = 3;
      update step_runs set version = 2 where run_id = '${id}'`,
    breaks: ['check.audit.illegal_edge'],
  },
  {
    name: 'I2: an audit row was deleted in the middle',
    plant: ({ succeeded }) => `delete from ${audit} where workflow_id = '${succeeded.id}' and step_no = 1 and version = 2`,
    breaks: ['check.audit.version_gap'],
  },
  {
    name: 'I2: a version was left out',
    plant: ({ succeeded: { id } }) => `update ${audit} set version = 4 where workflow_id = '${id}' and step_no = 1 and version = 3;
      update step_runs set version = 4 where run_id = '${id}'`,
    breaks: ['check.audit.version_gap'],
  },
  {
    name: 'I2: an audit row was edited, so that the moves no longer join up',
    plant: ({ succeeded }) =>
      `update ${audit} set previous_state = 'WAITING' where workflow_id = '${succeeded.id}' and step_no = 1 and version = 3`,
    breaks: ['check.audit.torn'],
  },
  {
    name: 'I2: an audit row was written after its successor',
    plant: ({ succeeded }) => `alter table ${audit} alter column seq set generated by default;
      update ${audit} set seq = seq + 1000000 where workflow_id = '${succeeded.id}' and step_no = 0 and version = 2`,
    breaks: ['check.audit.disordered'],
  },
  {
    name: 'I3: a change was made without its audit row',
    plant: ({ created: { id } }) =>
      `update workflow_runs set state = 'QUEUED', version = 2 where id = '${id}'; update live_runs set held = true where run_id = '${id}'`,
    breaks: ['check.audit.row_missing'],
  },
  {
    name: 'I3: the last audit row was deleted',
    plant: ({ succeeded }) => `delete from ${audit} where workflow_id = '${succeeded.id}' and step_no = 1 and version = 3`,
    breaks: ['check.audit.row_missing'],
  },
  {
    name: 'I3: all audit rows of a step were deleted',
    plant: ({ dispatched }) => `delete from ${audit} where workflow_id = '${dispatched.id}' and step_no = 1`,
    breaks: ['check.audit.row_missing'],
  },
  {
    name: 'I3: an audit row was inserted for a change that never was',
    plant: ({ created }) =>
      `insert into ${audit} (${columns}) values ('${created.id}', 0, 2, null, 'CREATED', 'QUEUED', gen_random_uuid(), 'x', null, null, null, now(), 'flowforge_api')`,
    breaks: ['check.audit.row_surplus'],
  },
  {
    name: 'I3: an audit row was inserted for a run that never was',
    plant: () =>
      `insert into ${audit} (${columns}) values (flowforge_uuidv7(), 0, 1, null, null, 'CREATED', gen_random_uuid(), 'x', null, null, null, now(), 'flowforge_api')`,
    breaks: ['check.audit.row_surplus'],
  },
  {
    name: 'I3: an audit row was doubled',
    plant: ({ joining }) => `alter table ${audit} drop constraint ${audit}_pkey;
      insert into ${audit} (${columns}) select ${columns} from ${audit} where workflow_id = '${joining.id}' and step_no = 2 and version = 2`,
    breaks: ['check.audit.row_doubled'],
  },
  {
    name: 'I3: a change was made by a role that is no service',
    plant: ({ succeeded }) =>
      `update ${audit} set db_role = 'postgres' where workflow_id = '${succeeded.id}' and step_no = 0 and version = 2`,
    breaks: ['check.audit.foreign_role'],
  },
  {
    name: 'I4: a step ended a second time',
    plant: ({
      succeeded: { id },
    }) => `insert into ${audit} (${columns}) select workflow_id, step_no, 4, step, 'SUCCEEDED', 'SUCCEEDED', gen_random_uuid(), actor, attempt, epoch,
        dispatch_no, now(), db_role from ${audit} where workflow_id = '${id}' and step_no = 1 and version = 3;
      update step_runs set version = 4 where run_id = '${id}'`,
    breaks: ['check.audit.illegal_edge', 'check.step.ended_twice'],
  },
  {
    name: 'I4: a dispatch number was given out twice',
    plant: ({ lost }) => `update ${audit} set dispatch_no = 1 where workflow_id = '${lost.id}' and step_no = 1 and version = 3`,
    breaks: ['check.step.token_fell'],
  },
  {
    name: 'I4: a dispatch number went back',
    plant: ({ lost: { id } }) => `update ${audit} set dispatch_no = 1 where workflow_id = '${id}' and step_no = 1 and version = 5;
      update step_runs set dispatch_no = 1 where run_id = '${id}'`,
    breaks: ['check.step.token_fell'],
  },
  {
    name: 'I4: a token was changed behind the audit',
    plant: ({ dispatched }) => `update step_runs set dispatch_no = 7 where run_id = '${dispatched.id}'`,
    breaks: ['check.step.token_differs'],
  },
  {
    name: 'I4: a step was tried more often than its policy allows',
    plant: ({ retrying: { id } }) =>
      `update step_runs set attempt = 4 where run_id = '${id}'; update ${audit} set attempt = 4 where workflow_id = '${id}' and step_no = 1`,
    breaks: ['check.step.attempts'],
  },
  {
    name: 'I5: a dispatched step is with nobody',
    plant: ({ dispatched }) => `update step_runs set changed_at = now() - interval '1 hour' where run_id = '${dispatched.id}'`,
    breaks: ['check.step.unheld'],
  },
  {
    name: 'I5: a running step is held by a session that is gone',
    plant: ({
      joining,
      session,
    }) => `update step_runs set changed_at = now() - interval '1 hour' where run_id = '${joining.id}' and step_no = 2;
      delete from worker_sessions where session = '${session}'`,
    breaks: ['check.step.unheld'],
  },
  {
    name: 'I5: an expired session still holds steps',
    plant: ({ session }) => `update worker_sessions set expires_at = now() - interval '1 hour' where session = '${session}'`,
    breaks: ['check.session.expired'],
  },
  {
    name: 'I5: a timer did not fire',
    plant: ({ retrying }) => `update timers set due_at = now() - interval '1 hour' where run_id = '${retrying.id}'`,
    breaks: ['check.timer.overdue'],
  },
  {
    name: 'I5: a deadline passed and the run was not ended',
    plant: ({ queued }) => `update live_runs set deadline_at = now() - interval '1 hour' where run_id = '${queued.id}'`,
    breaks: ['check.run.deadline_overdue'],
  },
  {
    name: 'I5: a cancel was accepted and never carried out',
    plant: ({ cancelling }) => `update workflow_runs set changed_at = now() - interval '1 hour' where id = '${cancelling.id}'`,
    breaks: ['check.run.cancel_overdue'],
  },
  {
    name: 'I5: a ready step was forgotten',
    plant: ({
      joining: { id },
    }) => `delete from step_runs where run_id = '${id}' and step_no = 3; delete from ${audit} where workflow_id = '${id}' and step_no = 3;
      update live_runs set active = active - 1 where run_id = '${id}'; update step_runs set ended_at = now() - interval '1 hour' where run_id = '${id}' and step_no = 1`,
    breaks: ['check.step.ready_overdue'],
  },
  {
    name: 'I10: an output is larger than its bound',
    plant: ({ succeeded }) => `update step_outputs set output = to_jsonb(repeat('x', 2 * 1024 * 1024)) where run_id = '${succeeded.id}'`,
    breaks: ['check.bound.output'],
  },
  {
    name: 'I10: a log line is longer than its bound',
    plant: ({ succeeded }) => `update workflow_run_logs set text = repeat('x', 20 * 1024) where run_id = '${succeeded.id}'`,
    breaks: ['check.bound.log_line'],
  },
  {
    name: "I10: a step's log is longer than its bound",
    plant: ({ succeeded }) => `insert into workflow_run_logs select run_id, step_no, attempt, dispatch_no, n, at, level, repeat('x', 100)
        from workflow_run_logs, generate_series(2, 12) as n where run_id = '${succeeded.id}'`,
    breaks: ['check.bound.log_step'],
    options: () => ({ bounds: { logStepBytesMax: 500 } }),
  },
  {
    name: 'I10: a plan has more steps than a run may have',
    plant: () => 'select',
    breaks: ['check.bound.steps'],
    options: () => ({ bounds: { stepsMax: 3 } }),
  },
  {
    name: 'I10: a step lost more workers than allowed',
    plant: ({ lost }) => `update step_runs set worker_losses = 5 where run_id = '${lost.id}'`,
    breaks: ['check.bound.worker_losses'],
  },
  {
    name: 'I10: a step was tried more often than any policy allows',
    plant: ({ retrying: { id } }) =>
      `update step_runs set attempt = 27 where run_id = '${id}'; update ${audit} set attempt = 27 where workflow_id = '${id}' and step_no = 1`,
    breaks: ['check.bound.attempts', 'check.step.attempts'],
  },
  {
    name: 'I12: the count of steps that have not ended is wrong',
    plant: ({ joining }) => `update live_runs set remaining = remaining - 1 where run_id = '${joining.id}'`,
    breaks: ['check.counter.remaining'],
  },
  {
    name: 'I12: the count of active steps is wrong',
    plant: ({ joining }) => `update live_runs set active = active + 1 where run_id = '${joining.id}'`,
    breaks: ['check.counter.active'],
  },
  {
    name: 'I12: the count of waiting steps is wrong',
    plant: ({ delayed }) => `update live_runs set waiting = 0 where run_id = '${delayed.id}'`,
    breaks: ['check.counter.waiting'],
  },
  {
    name: 'I12: a run counts as failed without a failed step',
    plant: ({ joining }) => `update live_runs set failed = true where run_id = '${joining.id}'`,
    breaks: ['check.counter.failed'],
  },
  {
    name: "I12: a join's count of needs is wrong",
    plant: ({ joining }) => `update step_waits set unmet = unmet - 1 where run_id = '${joining.id}'`,
    breaks: ['check.counter.unmet'],
  },
  {
    name: 'I12: a join lost its row',
    plant: ({ joining }) => `delete from step_waits where run_id = '${joining.id}'`,
    breaks: ['check.wait.missing'],
  },
  {
    name: 'I12: a join row of a run that ended was left behind',
    plant: ({ joined }) => `insert into step_waits (run_id, step_no, unmet) values ('${joined.id}', 4, 1)`,
    breaks: ['check.wait.orphan'],
  },
  {
    name: 'I12: a timer of a step that ended was left behind',
    plant: ({ succeeded }) =>
      `insert into timers (run_id, step_no, kind, due_at) values ('${succeeded.id}', 1, 'retry', now() + interval '1 hour')`,
    breaks: ['check.timer.orphan'],
  },
  {
    name: 'I12: a run ended with a step of its plan unfinished',
    plant: ({ joined: { id } }) =>
      `delete from step_runs where run_id = '${id}' and step_no = 4; delete from ${audit} where workflow_id = '${id}' and step_no = 4`,
    breaks: ['check.run.step_unfinished'],
  },
  {
    name: 'I12: a run has a step outside of its plan',
    plant: ({
      succeeded: { id },
    }) => `insert into step_runs select (s).* from (select jsonb_populate_record(s, '{"step_no": 9}') as s from step_runs s where run_id = '${id}') as copied;
      insert into ${audit} (${columns}) select ${columns.replace('step_no', '9')} from ${audit} where workflow_id = '${id}' and step_no = 1`,
    breaks: ['check.run.step_outside_plan'],
  },
  {
    name: 'I12: a run succeeded although a step failed',
    plant: ({ failed: { id } }) => `update workflow_runs set state = 'SUCCEEDED' where id = '${id}';
      update ended_runs set state = 'SUCCEEDED' where run_id = '${id}';
      update ${audit} set new_state = 'SUCCEEDED' where workflow_id = '${id}' and step_no = 0 and version = 3`,
    breaks: ['check.run.end_differs'],
  },
  {
    name: 'I12: a step began before its need had ended',
    plant: ({ joined }) => `alter table ${audit} alter column seq set generated by default;
      update ${audit} set seq = -1 where workflow_id = '${joined.id}' and step_no = 4 and version = 1`,
    breaks: ['check.step.too_early'],
  },
];
