import { randomBytes } from 'node:crypto';
import { freePort, startProcess, startRedis, type RedisServer, type TestDatabase, type TestProcess } from '#testing';
import { ApiClient } from './api-client.ts';

/** Short times, so that what recovers is seen to recover: the real ones are 10 s, 3 s and 2 s. */
export const SHORT_TIMES = { LEASE_SECONDS: '1', HEARTBEAT_SECONDS: '0.3', SWEEP_SECONDS: '0.5' } as const;

export const SERVED_DEPLOYMENT = 'flowforge-medallion/production';

type Role = 'api' | 'scheduler' | 'worker';
type Env = Readonly<Record<string, string>>;

export interface StackOptions {
  readonly database: Pick<TestDatabase, 'apiUrl' | 'schedulerUrl'>;
  readonly schedulers?: number;
  readonly workers?: number;
  /** For every process; times are short unless told. */
  readonly env?: Env;
  readonly workerEnv?: Env;
  readonly schedulerEnv?: Env;
  /** For one member, beside what it has of its role. */
  readonly memberEnv?: (role: Role, at: number) => Env;
  readonly redis?: RedisServer;
}

/** FlowForge as it runs in a cluster: api, schedulers and workers as processes of their own, over a real Redis and PostgreSQL. */
export class Stack {
  readonly api: ApiClient;
  private readonly members = new Map<string, TestProcess>();

  private constructor(
    readonly redis: RedisServer,
    private readonly options: StackOptions,
    private readonly apiPort: number,
    private readonly token: string,
    private readonly ownsRedis: boolean,
  ) {
    this.api = new ApiClient(`http://127.0.0.1:${apiPort}`, token);
  }

  static async start(options: StackOptions): Promise<Stack> {
    const redis = options.redis ?? (await startRedis({ appendonly: true, own: true }));
    const stack = new Stack(redis, options, await freePort(), `ff_${randomBytes(32).toString('base64url')}`, options.redis === undefined);
    await stack.startMember('api', 0);
    await Promise.all([
      ...Array.from({ length: options.schedulers ?? 1 }, (_, at) => stack.startMember('scheduler', at)),
      ...Array.from({ length: options.workers ?? 1 }, (_, at) => stack.startMember('worker', at)),
    ]);
    return stack;
  }

  member(role: Role, at = 0): TestProcess {
    const process = this.members.get(`${role} ${at}`);
    if (!process) throw new Error(`There is no ${role} ${at}.`);
    return process;
  }

  /** Starts a member, or starts it again. */
  async startMember(role: Role, at: number): Promise<TestProcess> {
    const ready =
      role === 'api'
        ? { url: `http://127.0.0.1:${this.apiPort}/ready` }
        : { line: role === 'scheduler' ? /The scheduler is ready/ : /The worker is ready/ };
    const process = await startProcess({
      main: `services/${role}/src/main.ts`,
      name: `${role} ${at}`,
      ready,
      readyWithin: 180_000,
      env: { ...this.envOf(role), ...this.options.memberEnv?.(role, at) },
    });
    this.members.set(`${role} ${at}`, process);
    return process;
  }

  private envOf(role: Role): Env {
    const common = { LOG_LEVEL: 'info', REDIS_URL: this.redis.url, METRICS_PORT: '0', ...SHORT_TIMES, ...this.options.env };
    const { apiUrl, schedulerUrl } = this.options.database;
    switch (role) {
      case 'api':
        return { ...common, DATABASE_URL: apiUrl, PORT: String(this.apiPort), HOST: '127.0.0.1', FLOWFORGE_ADMIN_TOKEN: this.token };
      case 'scheduler':
        return { ...common, DATABASE_URL: schedulerUrl, ...this.options.schedulerEnv };
      case 'worker':
        return {
          ...common,
          DEPLOYMENT: SERVED_DEPLOYMENT,
          WORKER_CONCURRENCY: '16',
          HTTP_STEP_PRIVATE_ADDRESSES: 'allow',
          ...this.options.workerEnv,
        };
    }
  }

  /** Stops what it started, workers first. Ends by force what does not end in time. */
  async stop(): Promise<void> {
    const inOrder = [...this.members].toSorted(([one], [other]) => (one < other ? 1 : -1)).map(([, process]) => process);
    for (const process of inOrder) await process.kill(process.ending ? undefined : 'SIGTERM');
    if (this.ownsRedis) await this.redis.stop();
  }
}
