import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { cloneDatabase, eventually, freePort, type Ending, type RedisServer, type TestDatabase, type TestProcess } from '#testing';
import { descendantsOf } from '../harness/descendants.ts';
import { SHORT_TIMES, Stack } from '../harness/stack.ts';
import { OutsideWorld } from './outside-world.ts';
import type { Role } from './points.ts';
import { Records } from './records.ts';
import { Workload } from './workload.ts';

export const LEASE_MS = Number(SHORT_TIMES.LEASE_SECONDS) * 1_000;

const startsMax = 5;

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

/** An api, two schedulers and some workers over a database of their own, with an outside world and runs to do. */
export class Town {
  readonly records: Records;

  private constructor(
    readonly stack: Stack,
    readonly members: readonly Member[],
    readonly outside: OutsideWorld,
    readonly workload: Workload,
    readonly owner: pg.Client,
    private readonly database: TestDatabase,
    private readonly ports: ReadonlyMap<string, number>,
  ) {
    this.records = new Records(owner);
  }

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
      memberEnv: (role, at) => ({ WORKER_NAME: nameOfWorker(at), METRICS_PORT: String(ports.get(`${role} ${at}`)) }),
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

  /** Whoever runs a cluster starts again what did not come up: a database that is too slow to answer is no fault of the case. */
  async start({ role, at }: Member): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return void (await this.stack.startMember(role, at));
      } catch (error) {
        if (tries === startsMax) throw error;
      }
    }
  }

  /** A worker that has said, since its last end, that it holds steps. */
  async holder(): Promise<Member | undefined> {
    const name = await this.records.holder();
    return this.of('worker').find(({ at }) => name === nameOfWorker(at));
  }

  async close(): Promise<void> {
    await this.stack.stop();
    await this.outside.stop();
    await this.owner.end();
    await this.database.drop();
  }
}

/** What another town left would be told to this one's workers under the same names. */
async function emptied(redis: RedisServer): Promise<void> {
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
}

export function nameOfWorker(at: number): string {
  return `worker-${at}`;
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
