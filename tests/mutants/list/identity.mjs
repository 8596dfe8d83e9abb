import { inFile, inStatement, inMigration } from '../change.mjs';

const decideRun = 'libs/core/src/advance/decide-run.ts';
const unit = ['libs/core/src/advance'];

/** Identity of work: tokens, epochs, leases, counted losses. */
export const identity = [
  {
    name: 'no-fence',
    rule: 'A report is believed only under the token of the present dispatch.',
    ...inFile(decideRun, "if (!sameToken(step, event.token)) return 'stale';", ''),
    suites: { unit, sim: true, scope: true, integration: ['services/scheduler/src/advance'] },
  },
  {
    name: 'no-epoch-in-token',
    rule: 'A token is (epoch, dispatch number): numbers are issued again in a database that went back.',
    ...inFile(
      'libs/core/src/advance/run-view.ts',
      'return one.epoch === other.epoch && one.dispatchNo === other.dispatchNo;',
      'return one.dispatchNo === other.dispatchNo;',
    ),
    also: [inFile(decideRun, "if (event.token.epoch !== draft.limits.epoch) return 'stale';", '')],
    suites: { unit, sim: true, integration: ['services/scheduler/src/leader'] },
  },
  {
    name: 'restored-token-believed',
    rule: 'A restored row carries the token of a dispatch from before: no report about that is believed.',
    ...inFile(decideRun, "if (event.token.epoch !== draft.limits.epoch) return 'stale';", ''),
    suites: { unit, sim: true, integration: ['services/scheduler/src/leader'] },
  },
  {
    name: 'epoch-not-read-in-transaction',
    rule: 'What was decided about the rows of one database is not written into another.',
    ...inFile('libs/store/src/advance/decision-writer.ts', 'tx.query(SAME_EPOCH, [this.epoch])', 'Promise.resolve(epoch)'),
    suites: { sim: true, integration: ['services/scheduler/src/leader'] },
  },
  {
    name: 'epoch-of-any-database',
    rule: 'Another server or another database raises the epoch by itself.',
    ...inMigration('0010-epoch-by-timeline', [
      'if current.system_identifier = here_system and current.database_oid = here_oid and current.timeline',
      'if current.timeline',
    ]),
    suites: { integration: ['libs/store/src/epoch.int.test.ts'] },
  },
  {
    name: 'epoch-of-any-timeline',
    rule: 'A promoted standby has a past of its own: its timeline raises the epoch.',
    ...inMigration('0010-epoch-by-timeline', [' and current.timeline = here_timeline then', ' then']),
    suites: { integration: ['libs/store/src/epoch.int.test.ts'] },
  },
  {
    name: 'old-epoch-sent-again',
    rule: 'A dispatch is given out under the epoch of the database that it is made in.',
    ...inFile(
      decideRun,
      'draft.move(step, hops, event, { ...change, epoch: draft.limits.epoch, dispatchNo });',
      'draft.move(step, hops, event, { ...change, dispatchNo });',
    ),
    suites: { unit, sim: true, integration: ['services/scheduler/src/leader'] },
  },
  {
    name: 'worker-stays-in-old-epoch',
    rule: 'A worker follows the epoch: what is sent after a restore goes to other keys.',
    ...inFile(
      'services/worker/src/worker.service.ts',
      'if (epoch !== null && epoch >= this.newestEpoch && epoch !== this.life?.epoch)',
      'if (epoch !== null && !this.life)',
    ),
    suites: { sim: true, integration: ['services/worker/src/worker.int.test.ts'] },
  },
  {
    name: 'token-kept-when-sent-again',
    rule: 'Every (re)send has a token of its own.',
    ...inFile(decideRun, 'const dispatchNo = step.dispatchNo + 1;', 'const dispatchNo = step.dispatchNo;'),
    suites: { unit, sim: true, integration: ['services/scheduler/src/sweep'] },
  },
  {
    name: 'losses-not-counted',
    rule: 'A step that ends its workers dies after a bounded number of them.',
    ...inFile(decideRun, 'const workerLosses = step.workerLosses + (counts ? 1 : 0);', 'const workerLosses = step.workerLosses;'),
    suites: { unit, sim: true, integration: ['services/scheduler/src/sweep'] },
  },
  {
    name: 'lease-not-respected',
    rule: 'What a living session holds is left alone.',
    ...inStatement('steps_unheld', ['where w.expires_at > clock_timestamp()', 'where w.expires_at > clock_timestamp() and false']),
    suites: { integration: ['services/scheduler/src/sweep'] },
  },
  {
    name: 'heartbeat-lists-nothing',
    rule: 'Heartbeats list what their session holds, under its dispatch number.',
    ...inFile('services/worker/src/heartbeats/heartbeat.ts', '...(leaving ? { held: [], begun: 0 } : this.events.held()),', 'held: [],'),
    suites: { unit: ['services/worker/src/heartbeats'], sim: true },
  },
  {
    name: 'lease-by-the-process-clock',
    rule: "Only the database's clock says when a lease ends.",
    ...inStatement('sessions_beat', ["clock_timestamp() + $7::float8 * interval '1 second'", 'to_timestamp($7::float8)']),
    also: [inFile('libs/store/src/advance/sessions.ts', '      leaseSeconds,\n', '      Date.now() / 1000 + leaseSeconds,\n')],
    suites: { integration: ['services/scheduler/src/heartbeats'] },
  },
  {
    name: 'lease-from-the-answer',
    rule: 'A worker counts its lease from the moment a heartbeat was sent, never from the answer.',
    ...inFile('services/worker/src/heartbeats/heartbeat.ts', 'this.renewedAt = sentAt;', 'this.renewedAt = performance.now();'),
    suites: { unit: ['services/worker/src/heartbeats'], sim: true },
  },
  {
    name: 'lost-lease-not-noticed',
    rule: 'A worker ends its steps when its lease has run out.',
    ...inFile(
      'services/worker/src/heartbeats/heartbeat.ts',
      'if (this.lost || this.ageSeconds <= this.settings.leaseSeconds) return;',
      'if (this.ageSeconds >= 0) return;',
    ),
    suites: { unit: ['services/worker/src/heartbeats'], sim: true, integration: ['services/worker/src/worker-faults.int.test.ts'] },
  },
  {
    name: 'session-of-another-deployment',
    rule: 'A session stays with the deployment that it began in: no worker renews the lease of another pool.',
    ...inStatement('sessions_beat', ['where worker_sessions.deployment_id = excluded.deployment_id', '']),
    suites: { integration: ['services/scheduler/src/heartbeats'] },
  },
  {
    name: 'foreign-report-believed',
    rule: 'A report is believed only from the deployment that its run belongs to.',
    ...inFile(decideRun, "if (event.from !== draft.view.deploymentId) return 'foreign';", ''),
    suites: { unit, integration: ['services/scheduler/src/advance'] },
  },
];
