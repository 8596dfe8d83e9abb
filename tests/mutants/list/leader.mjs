import { inFile, inStatement } from '../change.mjs';

const sweepService = 'services/scheduler/src/sweep/sweep.service.ts';
const admissionService = 'services/scheduler/src/admission/admission.service.ts';
const admissionReader = 'libs/store/src/advance/admission-reader.ts';
const sweep = ['services/scheduler/src/sweep'];
const admission = ['services/scheduler/src/admission'];

/** The duties of the leader: what has come to a stop is found, admission keeps its limits. */
export const leader = [
  {
    name: 'lost-messages-not-found',
    rule: 'A DISPATCHED row is the outbox: what nobody holds and no stream carries is sent again.',
    ...inFile(sweepService, 'lost.push(...certain, ...gone);', 'lost.push(...certain);'),
    suites: { sim: true, scope: true, integration: sweep },
  },
  {
    name: 'lost-workers-not-found',
    rule: 'The steps of a session whose lease ran out are sent again.',
    ...inFile(sweepService, 'lost.push(...certain, ...gone);', 'lost.push(...gone);'),
    suites: { sim: true, scope: true, integration: sweep },
  },
  {
    name: 'sweep-without-patience',
    rule: 'A step that is seen nowhere is lost only after a lease, beyond the age of the reports that wait.',
    ...inFile(
      sweepService,
      '(suspects.get(keyOf(step)) ?? now) >= patienceMs + missing.reportsMs);',
      '(suspects.get(keyOf(step)) ?? now) >= 0);',
    ),
    by: 'integration',
    suites: { sim: true, integration: sweep },
  },
  {
    name: 'unread-heartbeats-cost-leases',
    rule: 'A worker is not lost because its heartbeats were not read.',
    ...inFile(sweepService, 'return pending === 0 && (oldestWaitingMs ?? 0) <=', 'return pending >= 0 || (oldestWaitingMs ?? 0) <='),
    by: 'integration',
    suites: { sim: true, integration: ['services/scheduler/src/sweep', 'services/scheduler/src/heartbeats'] },
  },
  {
    name: 'deadline-never-fires',
    rule: 'A run ends at its deadline, whatever it is doing.',
    ...inFile(
      'libs/store/src/advance/sweep-reader.ts',
      'return rows.map((row) => ({ runId: row.run_id, why: row.why }));',
      "return rows.filter((row) => row.why === 'cancel').map((row) => ({ runId: row.run_id, why: row.why }));",
    ),
    by: 'integration',
    suites: { sim: true, integration: sweep },
  },
  {
    name: 'emptied-server-not-noticed',
    rule: 'An emptied Redis is rebuilt from the rows without waiting for leases.',
    ...inFile(
      'services/scheduler/src/leader/leader-loop.ts',
      'const emptied = this.generation !== null && generation !== this.generation;',
      'const emptied = false;',
    ),
    by: 'integration',
    suites: { sim: true, integration: ['services/scheduler/src/leader'] },
  },
  {
    name: 'everybody-leads',
    rule: 'A lease row says who leads; others take over when it has run out.',
    ...inStatement('leases_take', ['where l.holder = excluded.holder or l.expires_at < clock_timestamp()', '']),
    suites: { integration: ['services/scheduler/src/leader'] },
  },
  {
    name: 'one-statement-admission',
    rule: 'Admission locks its scopes, then counts in a statement of its own: one statement for both counts in a snapshot from before the lock.',
    ...inFile(
      admissionReader,
      '  const [, counted] = await Promise.all([locked, countScopes(tx, scopes)]);\n',
      `  const [deployments, teams, keys] = await locked;
  const text = \`with l as materialized (\${SCOPES_LOCK.text.replace('$3', '$5')}) select c.* from l, (\${SCOPES_COUNT.text}) c\`;
  const [workflows, names] = [scopes.keys.map((key) => key.workflowId), scopes.keys.map((key) => key.key)];
  const rows = await tx.query({ name: 'scopes_lock_and_count', text }, [deployments, teams, workflows, names, keys]);
  const counted = new Map(rows.map((row) => [\`\${row.scope} \${row.id}\`, row.running]));
`,
    ),
    also: [inFile(admissionReader, 'const locked = tx.query(SCOPES_LOCK, [', 'const locked = Promise.resolve([')],
    suites: { integration: admission, e2e: ['tests/e2e/admission'] },
  },
  {
    name: 'count-before-lock',
    rule: 'Admission counts behind the lock of its scopes.',
    ...inFile(
      admissionReader,
      'const locked = tx.query(SCOPES_LOCK, [',
      'const early = countScopes(tx, scopes);\n  const locked = tx.query(SCOPES_LOCK, [',
    ),
    also: [inFile(admissionReader, 'await Promise.all([locked, countScopes(tx, scopes)]);', 'await Promise.all([locked, early]);')],
    by: 'integration',
    suites: { sim: true, integration: admission, e2e: ['tests/e2e/admission'] },
  },
  {
    name: 'admission-without-lock',
    rule: 'What the first look admitted is decided once more under the locks.',
    ...inFile(
      admissionService,
      '(tx: HotTransaction) => this.confirm(tx, scopes, candidates, events) : undefined',
      '() => Promise.resolve(new Set(events.keys())) : undefined',
    ),
    by: 'integration',
    suites: { sim: true, integration: admission, e2e: ['tests/e2e/admission'] },
  },
  {
    name: 'counter-instead-of-live-rows',
    rule: 'Places are counted from live rows, never from a counter that is kept beside them.',
    ...inFile(
      admissionService,
      'const taken: PlacesTaken = await lockAndCount(tx, scopes);',
      'const taken: PlacesTaken = (Object(this).counter ??= await lockAndCount(tx, scopes));',
    ),
    suites: { sim: true, integration: admission },
  },
  {
    name: 'waiting-run-loses-its-key',
    rule: 'WAITING frees capacity limits and keeps concurrency keys.',
    ...inStatement('scopes_count', ['and l.concurrency_key = k.key and l.began', "and l.concurrency_key = k.key and l.phase = 'running'"]),
    suites: { integration: admission },
  },
  {
    name: 'unfair-admission',
    rule: 'Each free place goes to the team with the fewest running runs by its weight.',
    ...inFile('libs/core/src/admission/decide-admission.ts', 'if (!best || share < best.share)', 'if (!best)'),
    suites: { unit: ['libs/core/src/admission'], integration: admission },
  },
];
