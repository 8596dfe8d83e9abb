import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PEER_CATALOG } from './comparison/catalog.ts';
import type { EarlierCall } from './goals/criterion.ts';

/** What a call of the bench measures. */
export type Mode = 'workloads' | 'growth' | 'soak' | 'guard';

export interface BenchOptions {
  readonly mode: Mode;
  readonly quick: boolean;
  /** Rounds; every figure is the median over them. */
  readonly repetitions: number;
  /** Workloads and limits to measure, by the names that the tables have; empty: all. */
  readonly only: readonly string[];
  /** Names of peers to measure beside; empty: none. */
  readonly peers: readonly string[];
  /** Finished runs that `growth` fills in. */
  readonly runs: number;
  /** Whether they get all their audit rows, steps and inputs, or one audit row each. */
  readonly history: 'full' | 'thin';
  /** Length of `soak`. */
  readonly minutes: number;
  /** `guard` writes what it saw as what is expected from now on. */
  readonly record: boolean;
  /** Results of earlier calls, whose goals stand in for those that this call does not measure. */
  readonly add: readonly EarlierCall[];
  readonly json: string | null;
  readonly markdown: string | null;
  readonly pictures: boolean;
  /** Tells what PostgreSQL spent its time on, after each workload. */
  readonly statements: boolean;
  /** Folder for the processor profiles of the services, for `node --cpu-prof`'s viewers. */
  readonly profile: string | null;
}

export const PEERS: readonly string[] = PEER_CATALOG.map(({ name }) => name);

export const HELP = `npm run bench [-- OPTIONS]

Measures FlowForge through its real HTTP API with a token: api, scheduler and worker as processes of their own, PostgreSQL with fsync and
synchronous_commit on, Redis with its append-only file written every second; beside it, between the workloads, the limits of this machine.
Processor time per run is the figure to compare; wall times tell of the neighbours too, whose share is printed beside.

  --quick              small numbers, one round, within a minute
  --reps N             rounds (default 3, with --quick 1); figures are medians
  --only NAME          only this workload or limit (W1, W3, batch, …); may be given several times
  --peers              also graphile-worker, pg-boss, DBOS, BullMQ and Restate, on the same servers (installs their packages once)
  --peer NAME          only this one; may be given several times (${PEERS.join(', ')})
  --growth             an empty database against one with much history: rates, latencies, list pages, plans of all hot statements
  --runs N             runs of that history (default 10000000)
  --history full|thin  six audit rows, step and input for each of them (default), or one audit row each
  --soak               60 % of the rate just measured, for a long time: latency, memory and audit at the end
  --minutes N          length of the soak (default 30)
  --guard              compares ratios of processor time with tests/bench/recorded.json; exit code 1 beyond 1.5 ×
  --record             with --guard: writes the file anew
  --add FILE           goals that this call does not measure, from the --json of another (--growth, --soak); may be given several times
  --json FILE          every figure, the medians and the goals
  --markdown FILE      the tables
  --pictures           docs/benchmarks/*.svg
  --statements         what PostgreSQL spent its time on, after each workload
  --profile FOLDER     processor profiles of api, scheduler and worker, with a flame graph of each
  --help               this text

Exit code: 0, 1 when a run was lost, the audit is not exact, or the guard fails, 2 when the options are wrong. A missed goal is no failure.`;

/** Reads the command line; answers the help and wrong options itself. */
export function readOptions(args: readonly string[]): BenchOptions {
  try {
    const options = parseOptions(args);
    if (options) return options;
    console.log(HELP);
    return process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return process.exit(2);
  }
}

/** Null: the help is wanted. Throws on what makes no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      reps: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      peers: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      growth: { type: 'boolean', default: false },
      runs: { type: 'string', default: '10000000' },
      history: { type: 'string', default: 'full' },
      soak: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '30' },
      guard: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      add: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      markdown: { type: 'string' },
      pictures: { type: 'boolean', default: false },
      statements: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  return {
    mode: modeOf(values),
    quick: values.quick,
    repetitions: whole('--reps', values.reps ?? (values.quick ? '1' : '3'), 1, 100),
    only: values.only,
    peers: peersOf(values.peers, values.peer),
    runs: whole('--runs', values.runs, 1_000, 1_000_000_000),
    history: historyOf(values.history),
    minutes: fraction('--minutes', values.minutes),
    record: values.record,
    add: values.add.map(readCall),
    json: values.json === undefined ? null : resolve(values.json),
    markdown: values.markdown === undefined ? null : resolve(values.markdown),
    pictures: values.pictures,
    statements: values.statements,
    profile: values.profile === undefined ? null : resolve(values.profile),
  };
}

function modeOf({ growth, soak, guard }: { growth: boolean; soak: boolean; guard: boolean }): Mode {
  const known: readonly (readonly [Mode, boolean])[] = [
    ['growth', growth],
    ['soak', soak],
    ['guard', guard],
  ];
  const asked = known.filter(([, wanted]) => wanted).map(([mode]) => mode);
  const [mode, other] = asked;
  if (other) throw new Error(`--${mode} and --${other} are two calls.`);
  return mode ?? 'workloads';
}

function peersOf(all: boolean, named: readonly string[]): readonly string[] {
  const unknown = named.find((name) => !PEERS.includes(name));
  if (unknown !== undefined) throw new Error(`There is no peer "${unknown}". Known: ${PEERS.join(', ')}.`);
  return all && named.length === 0 ? PEERS : [...new Set(named)];
}

function historyOf(given: string): 'full' | 'thin' {
  if (given === 'full' || given === 'thin') return given;
  throw new Error('--history is full or thin.');
}

function whole(name: string, given: string, min: number, max: number): number {
  const value = Number(given.replaceAll(/[_,]/g, ''));
  if (!Number.isSafeInteger(value) || value < min || value > max) throw new Error(`${name} must be a whole number from ${min} to ${max}.`);
  return value;
}

function fraction(name: string, given: string): number {
  const value = Number(given);
  if (!(value >= 0.1 && value <= 10_080)) throw new Error(`${name} must be a number from 0.1 to 10080.`);
  return value;
}

/** Read at once: a file that is none must not be found out after half an hour. */
function readCall(file: string): EarlierCall {
  const call: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof call === 'object' && call !== null && 'goals' in call && 'command' in call) return call as EarlierCall;
  throw new Error(`--add ${file}: this is no result of the bench; it must be the --json file of another call.`);
}
