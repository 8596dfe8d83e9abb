import { CATALOG } from './catalog.ts';

/** A row of the fault matrix, and what shows it. */
export interface CoveredRow {
  readonly id: string;
  readonly what: string;
  /** Names of faults of the catalog. */
  readonly faults: readonly string[];
  /** Tests and commands beside the chaos runs. */
  readonly suites: readonly string[];
  /** What is left out of it, and why; null: nothing. */
  readonly left: string | null;
}

interface Row {
  readonly what: string;
  readonly suites?: readonly string[];
  readonly left?: string;
}

const FAILPOINTS = 'tests/failpoints';
const SIMULATION = 'tests/simulation';

const ROWS: Readonly<Record<string, Row>> = {
  F01: { what: 'SIGKILL at each protocol point, first and second hit', suites: [FAILPOINTS] },
  F02: { what: 'SIGSTOP beyond the lease, then SIGCONT', suites: [FAILPOINTS] },
  F03: { what: 'connection cut, executed then error', suites: [FAILPOINTS, 'services/api/src/runs/lost-answer.int.test.ts'] },
  F04: { what: 'a step that blocks its event loop for three leases' },
  F05: {
    what: 'a step process beyond its memory, exit code 137',
    suites: ['services/worker/src/processes/process-exit.test.ts'],
    left: 'A cgroup with a limit: its effect, SIGKILL from outside, is what is inflicted.',
  },
  F06: { what: 'SIGTERM with running steps, a second SIGTERM, grace exceeded' },
  F07: { what: 'SIGKILL of any process at random' },
  F08: { what: 'Redis kill -9 with AOF everysec, always, off' },
  F09: { what: 'FLUSHALL, FLUSHDB, DEL of a stream, XGROUP DESTROY, XTRIM 0' },
  F10: { what: 'AOF tail cut, flipped byte' },
  F11: { what: 'failover that loses acknowledged writes' },
  F12: { what: 'the old primary comes back: two masters' },
  F13: { what: 'half-open link of each kind', suites: ['tests/e2e/half-open.e2e.test.ts'] },
  F14: { what: 'latency, 10 kB/s, resets, sliced pieces' },
  F15: { what: 'Redis maxmemory reached' },
  F16: {
    what: 'eviction policy, wrong database, old version, AOF off',
    left: 'The settings of Redis are not examined at start yet; with AOF off F08 shows that nothing is lost.',
  },
  F17: { what: 'Redis slow: DEBUG SLEEP, paused clients, AOF rewrite' },
  F18: { what: 'PostgreSQL kill -9, kill -9 of a backend, immediate stop' },
  F19: { what: 'a restart, then a storm of connections' },
  F20: {
    what: 'timeouts, locks, deadlocks, serialization failures, killed sessions',
    suites: ['services/scheduler/src/advance/outage.test.ts'],
  },
  F21: { what: 'a synchronous standby promoted' },
  F22: { what: 'an asynchronous standby promoted, commits lost' },
  F23: {
    what: 'disk full, then space again',
    left: 'Other disks than the database’s: a full log folder or AOF needs mounts of their own.',
  },
  F24: { what: 'a read-only standby reached by mistake' },
  F25: { what: 'a clock off by an hour or a day, drifting, jumping', suites: ['libs/transport/conformance', SIMULATION] },
  F26: { what: 'DST, 29 February, leap second, cron after an outage', left: 'Schedules do not exist yet.' },
  F27: { what: 'messages ten times, in any order, ten leases late, of another epoch', suites: [SIMULATION] },
  F28: {
    what: 'broken, huge and foreign messages',
    suites: [
      'services/scheduler/src/reports/report-intake.test.ts',
      'services/worker/src/steps/decide-intake.test.ts',
      'tests/e2e/reports.e2e.test.ts',
    ],
  },
  F29: { what: 'a step that kills its worker each time', suites: [SIMULATION, 'services/scheduler/src/sweep/sweep.int.test.ts'] },
  F30: { what: 'several schedulers; the leader paused; all of them dead', suites: ['tests/e2e/admission/admission.e2e.test.ts'] },
  F31: { what: 'a backlog of 1,000,000 runs', left: 'A matter of the benchmarks (npm run bench), not of faults.' },
  F32: { what: 'one team floods', left: 'Fairness between teams is tested in libs/core; a flood of 100,000 belongs to the benchmarks.' },
  F33: {
    what: 'readers of events that take nothing',
    suites: ['services/api/src/events/events.int.test.ts'],
    left: 'There is no WebSocket yet.',
  },
  F34: {
    what: 'a flood of logs, one endless line, binary',
    suites: ['services/worker/src/logs/step-log.test.ts'],
    left: '20 MB for the 1 GB of the matrix.',
  },
  F35: {
    what: 'payloads at the limit and beyond',
    suites: ['tests/e2e/bad-input.e2e.test.ts', 'libs/definitions/src/compile/definition-faults.test.ts'],
  },
  F36: {
    what: 'the world outside: 429, 5xx, hang, drip, partial, reset before and after the effect, away',
    suites: ['libs/connectors/src/http/http-step.int.test.ts'],
    left: 'There is no circuit breaker yet.',
  },
  F37: { what: 'the Kubernetes API fails', left: 'The fleet in Kubernetes does not exist yet.' },
  F38: { what: 'nodes, pods, namespaces lost or edited', left: 'The fleet in Kubernetes does not exist yet.' },
  F39: {
    what: 'rolling upgrade and rollback of two versions',
    left: 'There is one version; rolling restarts (F06) are the same motion without it.',
  },
  F40: {
    what: 'backup under load, restore to an older point',
    left: 'There is no backup command yet; what is inflicted is a copy of the data folder.',
  },
  F41: {
    what: 'the audit tampered with',
    suites: ['libs/store/src/checker/checks.int.test.ts'],
    left: 'Signed seals do not exist yet: a cut tail is not found.',
  },
  F42: {
    what: 'the local profile: kill -9, second process, power cut',
    suites: ['tests/e2e/local-profile.e2e.test.ts'],
    left: 'A file copied at a random byte.',
  },
  F43: { what: 'links cut one by one, healed in another order' },
  F44: { what: 'keys and passwords changed under load', left: 'There are no JWTs and no certificates yet.' },
};

/** All rows of the matrix in order. */
export const COVERAGE: readonly CoveredRow[] = Object.entries(ROWS).map(([id, { what, suites = [], left = null }]) => ({
  id,
  what,
  faults: CATALOG.filter((fault) => fault.id === id).map(({ name }) => name),
  suites,
  left,
}));

/** `docs/proof/faults.md`. */
export function coveragePage(): string {
  return [
    '# The fault matrix, row by row',
    '',
    'Names are faults of `npm run chaos` (`--faults NAME` deals one alone), paths are suites of their own. Made by `npm run chaos -- --matrix`.',
    '',
    coverageTable(),
  ].join('\n');
}

function coverageTable(): string {
  const lines = COVERAGE.map(({ id, what, faults, suites, left }) => {
    const shown = [...faults, ...suites.map((suite) => `\`${suite}\``)].join(', ') || 'nothing';
    return `| ${id} | ${what} | ${shown} | ${left ?? ''} |`;
  });
  return ['| row | fault | shown by | left out |', '|---|---|---|---|', ...lines].join('\n');
}
