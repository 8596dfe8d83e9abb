import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { checkInvariants } from '#store';
import { cloneDatabase, eventually, freePort, type Ending, type RedisServer, type TestDatabase, type TestProcess } from '#testing';
import { descendantsOf } from '../harness/descendants.ts';
import { SERVED_DEPLOYMENT, SHORT_TIMES, Stack } from '../harness/stack.ts';
import { snapshotStreams, unsettledHeartbeats } from '../harness/stream-snapshots.ts';
import { OutsideWorld } from './outside-world.ts';
import type { Role } from './points.ts';
import { STEPS_WITHOUT_EFFECT } from './workflows.ts';
import { Workload } from './workload.ts';

export const LEASE_MS = Number(SHORT_TIMES.LEASE_SECONDS) * 1_000;
const endsWithinMs = 60_000;
const noticeMs = 20;
const FATAL = /"level":"fatal"|invariant\.broken|UnhandledPromiseRejection/;

export interface Member {
  readonly role: Role;
  readonly at: number;
}

export interface TownOptions {
  readonly redis: RedisServer;
  /** Where the processes look for what is armed. */
  readonly failpoints: string;
  readonly workers?: number;
  readonly workerConcurrency?: number;
  /** Runs that are under way at once. */
  readonly runsMax?: number;
}

/** An api, two schedulers and some workers over a database of their own, an outside world, and a judge of what became of the runs. */
export class Town {
  private constructor(
    readonly stack: Stack,
    readonly members: readonly Member[],
    readonly outside: OutsideWorld,
    readonly workload: Workload,
    readonly owner: pg.Client,
    private readonly database: TestDatabase,
    private readonly ports: ReadonlyMap<string, number>,
  ) {}

  static async found({ redis, failpoints, workers = 2, workerConcurrency = 4, runsMax = 100 }: TownOptions): Promise<Town> {
    await emptied(redis);
    const database = await cloneDatabase();
    const owner = new pg.Client(database.ownerUrl);
    // Its end is told by the statement under way.
    owner.on('error', () => undefined);
    await owner.connect();
    const outside = new OutsideWorld();
    const outsideUrl = await outside.start();
    const members: Member[] = [
      { role: 'api', at: 0 },
      ...[0, 1].map((at) => ({ role: 'scheduler' as const, at })),
      ...Array.from({ length: workers }, (_, at) => ({ role: 'worker' as const, at })),
    ];
    const ports = new Map(await Promise.all(members.map(async ({ role, at }) => [`${role} ${at}`, await freePort()] as const)));
    const stack = await Stack.start({
      database,
      redis,
      schedulers: 2,
      workers,
      env: {
        FLOWFORGE_FAILPOINTS: failpoints,
        WORKFLOW_MAX_CONCURRENT_EXECUTIONS: String(runsMax),
        WORKER_LOSSES_MAX: '100',
        DRAIN_SECONDS: '5',
      },
      workerEnv: { WORKER_CONCURRENCY: String(workerConcurrency) },
      memberEnv: (role, at) => ({ WORKER_NAME: `worker-${at}`, METRICS_PORT: String(ports.get(`${role} ${at}`)) }),
    });
    const workload = new Workload(stack.api, outsideUrl);
    await workload.publish();
    return new Town(stack, members, outside, workload, owner, database, ports);
  }

  process({ role, at }: Member): TestProcess {
    return this.stack.member(role, at);
  }

  /** What it counts, as Prometheus reads it. */
  async metrics({ role, at }: Member): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.ports.get(`${role} ${at}`)}/metrics`);
    return await response.text();
  }

  /** The member that this process is, or to which this step process belongs. */
  memberOf(...pids: readonly number[]): Member | undefined {
    return this.members.find((member) => pids.includes(this.process(member).pid));
  }

  of(role: Role): Member[] {
    return this.members.filter((member) => member.role === role);
  }

  /** The scheduler that holds the lease: the one that said so last. */
  leader(): Promise<Member> {
    return eventually(
      () => {
        const said = this.of('scheduler').flatMap((member) => {
          const line = this.process(member).lines.findLast((text) => /this scheduler leads now|another scheduler leads now/.test(text));
          return line?.includes('this scheduler leads now') ? [{ member, at: timeOf(line) }] : [];
        });
        return said.toSorted((one, other) => other.at - one.at)[0]?.member;
      },
      { within: 15_000, what: 'a scheduler to lead' },
    );
  }

  async kill(member: Member): Promise<Ending> {
    return await this.process(member).kill('SIGKILL');
  }

  /** Stops a process and those below it as the kernel stops them, for so long. */
  async freeze(member: Member, forMs: number): Promise<void> {
    const goOn = await this.halt(member);
    await pause(forMs);
    goOn();
  }

  /** Stops it likewise, until what is returned is called. */
  async halt(member: Member): Promise<() => void> {
    const { pid } = this.process(member);
    const below = await descendantsOf(pid);
    const all = [pid, ...below.map((process) => process.pid)];
    for (const one of all) signal(one, 'SIGSTOP');
    return () => {
      for (const one of all.toReversed()) signal(one, 'SIGCONT');
    };
  }

  async start({ role, at }: Member): Promise<void> {
    await this.stack.startMember(role, at);
  }

  liveRuns(): Promise<number> {
    return this.count('live_runs');
  }

  /** Steps that workers have been given and that have not ended. */
  underWay(): Promise<number> {
    return this.count('step_runs', `state in ('DISPATCHED', 'RUNNING')`);
  }

  /** A worker that has said, since its last end, that it holds steps. */
  async holder(): Promise<Member | undefined> {
    const { rows } = await this.owner.query<{ worker: string }>(
      `select worker from worker_sessions where cardinality(held_runs) > 0 and expires_at > clock_timestamp() order by beat_at desc limit 1`,
    );
    return this.of('worker').find(({ at }) => rows[0]?.worker === `worker-${at}`);
  }

  /** How many of these dispatches are void by now: the step was given out again, or has ended. */
  async replaced(holdings: readonly { readonly runId: string; readonly stepNo: number; readonly dispatchNo: number }[]): Promise<number> {
    const { rows } = await this.owner.query<{ n: number }>(
      `select count(*)::int as n from step_runs s join unnest($1::uuid[], $2::int[], $3::int[]) as h (run_id, step_no, dispatch_no)
           on (s.run_id, s.step_no) = (h.run_id, h.step_no)
        where s.dispatch_no > h.dispatch_no or s.ended_at is not null`,
      [holdings.map(({ runId }) => runId), holdings.map(({ stepNo }) => stepNo), holdings.map(({ dispatchNo }) => dispatchNo)],
    );
    return rows[0]?.n ?? 0;
  }

  /** Audited transitions of a step under a token older than one that it had before. */
  async staleCommits(): Promise<number> {
    const { rows } = await this.owner.query<{ n: number }>(
      `select count(*)::int as n from (
         select dispatch_no, max(dispatch_no) over (partition by workflow_id, step_no order by version) as newest
           from workflow_transition_audit where step_no > 0) as moves
        where dispatch_no < newest`,
    );
    return rows[0]?.n ?? 0;
  }

  /** Waits until every run has ended, no worker holds anything, and nothing waits in a stream to be acknowledged. */
  async comesToRest(): Promise<void> {
    const isAtRest = async () => {
      const live = await this.count('live_runs');
      if (live > 0) throw new Error(`${live} runs have not ended`);
      const beats = await unsettledHeartbeats(this.stack.redis.url, 1, SERVED_DEPLOYMENT);
      if (beats > 0) throw new Error(`${beats} heartbeats are not settled`);
      const holding = await this.count('worker_sessions', 'cardinality(held_runs) > 0');
      if (holding > 0) throw new Error(`${holding} sessions hold steps`);
      const streams = await this.streams();
      const pending = streams.filter((stream) => stream.pending > 0);
      if (pending.length > 0) throw new Error(`pending: ${pending.map(({ kind, pending: count }) => `${kind} ${count}`).join(', ')}`);
      return true;
    };
    await eventually(isAtRest, { within: endsWithinMs, every: noticeMs * 2, what: 'all runs to end and nothing to be left' });
  }

  /** What is not as it must be, now that nothing is under way. */
  async faults(): Promise<string[]> {
    const report = await checkInvariants(this.owner, {
      quiescent: true,
      expected: [...this.workload.accepted],
      ledger: [...this.outside.effects].map(([idempotencyKey, count]) => ({ idempotencyKey, count })),
      bounds: { leaseSeconds: LEASE_MS / 1_000, sweepSeconds: Number(SHORT_TIMES.SWEEP_SECONDS), workerLossesMax: 101 },
      streams: await this.streams(),
    });
    const findings = report.invariants.flatMap(({ id, findings: found }) =>
      found.map(({ code, subject, message, details }) => `${id} ${code} ${subject}: ${message} ${JSON.stringify(details)}`),
    );
    return [...findings, ...(await this.wrongEnds()), ...(await this.wrongEffects()), ...this.wrongProcesses()];
  }

  async close(): Promise<void> {
    await this.stack.stop();
    await this.outside.stop();
    await this.owner.end();
    await this.database.drop();
  }

  /** Every run succeeds, except one that was to be cancelled. */
  private async wrongEnds(): Promise<string[]> {
    const { rows } = await this.owner.query<{ id: string; state: string }>(
      `select id, state from workflow_runs where state <> 'SUCCEEDED' order by id`,
    );
    return rows
      .filter(({ id, state }) => !(state === 'CANCELLED' && this.workload.cancelled.has(id)))
      .map(({ id, state }) => `run ${id} ended as ${state}`);
  }

  /** The outside world has booked what succeeded, and nothing under a key that no step of ours has. */
  private async wrongEffects(): Promise<string[]> {
    const { rows } = await this.owner.query<{ key: string; state: string }>(
      `select run_id || ':' || step_no as key, state from step_runs where name <> all ($1)`,
      [STEPS_WITHOUT_EFFECT],
    );
    const states = new Map(rows.map(({ key, state }) => [key, state]));
    const lost = rows.filter(({ key, state }) => state === 'SUCCEEDED' && !this.outside.effects.has(key)).map(({ key }) => key);
    const foreign = [...this.outside.effects.keys()].filter((key) => !states.has(key));
    return [
      ...lost.map((key) => `step ${key} succeeded without its effect`),
      ...foreign.map((key) => `an effect was booked under ${key}, which no step has`),
      ...(this.outside.requestsWithoutKey > 0 ? [`${this.outside.requestsWithoutKey} requests had no idempotency key`] : []),
    ];
  }

  private wrongProcesses(): string[] {
    return this.members.flatMap((member) => {
      const { name, ending, lines } = this.process(member);
      const fatal = lines.find((line) => FATAL.test(line));
      return [...(ending ? [`${name} ended with ${ending.code}`] : []), ...(fatal ? [`${name} said: ${fatal.slice(0, 300)}`] : [])];
    });
  }

  private streams() {
    return snapshotStreams(this.stack.redis.url, 1, SERVED_DEPLOYMENT);
  }

  private async count(table: 'live_runs' | 'worker_sessions' | 'step_runs', where = 'true'): Promise<number> {
    const { rows } = await this.owner.query<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`);
    return rows[0]?.n ?? 0;
  }
}

/** What another town left would be told to this one's workers under the same names. */
async function emptied(redis: RedisServer): Promise<void> {
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

function timeOf(line: string): number {
  const time: unknown = (JSON.parse(line) as { time?: unknown }).time;
  return typeof time === 'number' ? time : Date.parse(String(time));
}
