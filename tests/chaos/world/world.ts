import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTestFolder, type TcpProxy } from '#testing';
import { SERVED_DEPLOYMENT, SHORT_TIMES } from '../../harness/stack.ts';
import { Links } from './links.ts';
import { SupervisedMember } from './member.ts';
import { ReplicatedPostgres } from './postgres-pair.ts';
import { ReplicatedRedis } from './redis-pair.ts';
import type { LinkName, MemberName, Role, World } from './types.ts';

export interface WorldOptions {
  readonly apis?: number;
  readonly schedulers?: number;
  readonly workers?: number;
  /** The port of the outside world; `link('workers > outside').retarget(port)` does the same later. */
  readonly outsidePort?: number;
  /** Goes over what every member gets, by role. */
  readonly env?: Readonly<Partial<Record<Role, Readonly<Record<string, string>>>>>;
  /** Leaves data and logs in its folder. */
  readonly keep?: boolean;
  /** Hears what is being started. */
  readonly say?: (line: string) => void;
}

/** Discards what comes: nobody listens on it. */
const NOWHERE = 9;

/** PostgreSQL with a standby, Redis with a replica, api, schedulers and workers; every connection through a proxy. */
export class ChaosWorld implements World {
  readonly token = `ff_${randomBytes(32).toString('base64url')}`;
  readonly times = {
    leaseSeconds: Number(SHORT_TIMES.LEASE_SECONDS),
    sweepSeconds: Number(SHORT_TIMES.SWEEP_SECONDS),
    heartbeatSeconds: Number(SHORT_TIMES.HEARTBEAT_SECONDS),
  };
  private readonly byName = new Map<MemberName, SupervisedMember>();

  private constructor(
    readonly folder: string,
    readonly postgres: ReplicatedPostgres,
    readonly redis: ReplicatedRedis,
    private readonly links: Links,
    private readonly options: WorldOptions,
  ) {}

  static async start(options: WorldOptions = {}): Promise<ChaosWorld> {
    const say = options.say ?? (() => undefined);
    const folder = options.keep ? await keptFolder() : await makeTestFolder('chaos');
    await mkdir(join(folder, 'logs'));
    const links = new Links();
    say('PostgreSQL and Redis');
    const [postgres, redis] = await Promise.all([ReplicatedPostgres.start(folder, links), ReplicatedRedis.start(links)]);
    const world = new ChaosWorld(folder, postgres, redis, links, options);
    try {
      await links.add('workers > outside', options.outsidePort ?? NOWHERE);
      await postgres.withStandby();
      await world.startMembers(say);
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  get outsideUrl(): string {
    return `http://127.0.0.1:${this.links.get('workers > outside').port}`;
  }

  link(name: LinkName): TcpProxy {
    return this.links.get(name);
  }

  linkNames(ending?: string): readonly LinkName[] {
    return this.links.names(ending);
  }

  member(name: MemberName): SupervisedMember {
    const member = this.byName.get(name);
    if (!member) throw new Error(`There is no ${name}.`);
    return member;
  }

  members(role?: Role): readonly SupervisedMember[] {
    return [...this.byName.values()].filter((member) => role === undefined || member.role === role);
  }

  apiUrl(at = 0): string {
    return `http://127.0.0.1:${this.links.get(`world > api ${at}`).port}`;
  }

  async stop(): Promise<void> {
    const order = [this.members('worker'), this.members('scheduler'), this.members('api')];
    for (const members of order) {
      await Promise.all(members.map((member) => stopInTime(member)));
    }
    await Promise.all([this.postgres.close({ keep: this.options.keep === true }), this.redis.stop()]);
    await this.links.close();
    if (!this.options.keep) await rm(this.folder, { recursive: true, force: true });
  }

  private async startMembers(say: (line: string) => void): Promise<void> {
    const { apis = 1, schedulers = 2, workers = 3 } = this.options;
    // The first api writes the deployments that the others read.
    for (const [role, count] of [
      ['api', apis],
      ['scheduler', schedulers],
      ['worker', workers],
    ] as const) {
      say(`${count} × ${role}`);
      const members = await Promise.all(Array.from({ length: count }, (_, at) => this.add(role, at)));
      await Promise.all(members.map((member) => member.startAgain()));
    }
  }

  private async add(role: Role, at: number): Promise<SupervisedMember> {
    const name: MemberName = `${role} ${at}`;
    await this.links.add(`${name} > redis`, this.redis.primary.port);
    if (role !== 'worker') await this.links.add(`${name} > postgres`, this.postgres.port);
    const door = role === 'api' ? await this.links.add(`world > api ${at}`, NOWHERE) : undefined;
    const member = new SupervisedMember({
      name,
      env: () => this.envOf(role, name),
      logFile: join(this.folder, 'logs', `${role}-${at}.log`),
      onReady: ({ url }) => {
        if (door && typeof url === 'string') door.retarget(Number(new URL(url).port));
      },
    });
    this.byName.set(name, member);
    return member;
  }

  private envOf(role: Role, name: MemberName): Record<string, string> {
    const common = {
      LOG_LEVEL: 'info',
      REDIS_URL: this.links.get(`${name} > redis`).url,
      ...SHORT_TIMES,
      WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100',
    };
    const own = this.options.env?.[role] ?? {};
    switch (role) {
      case 'api':
        return {
          ...common,
          DATABASE_URL: this.databaseUrl(name, 'api'),
          PORT: '0',
          HOST: '127.0.0.1',
          FLOWFORGE_ADMIN_TOKEN: this.token,
          ...own,
        };
      case 'scheduler':
        return { ...common, DATABASE_URL: this.databaseUrl(name, 'scheduler'), WORKER_LOSSES_MAX: '100', ...own };
      case 'worker':
        return {
          ...common,
          DEPLOYMENT: SERVED_DEPLOYMENT,
          WORKER_NAME: name,
          WORKER_CONCURRENCY: '16',
          HTTP_STEP_PRIVATE_ADDRESSES: 'allow',
          ...own,
        };
    }
  }

  private databaseUrl(name: MemberName, role: 'api' | 'scheduler'): string {
    return this.postgres.urlAs(`flowforge_${role}`, this.links.get(`${name} > postgres`).port);
  }
}

/** Not under the name of tests' folders, which the next test run removes. Servers that root starts run as another user, who must get through. */
async function keptFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flowforge-chaos-'));
  await chmod(folder, 0o711);
  return folder;
}

const STOP_WITHIN_MS = 8_000;

/** SIGTERM, then SIGKILL to whom does not leave. */
async function stopInTime(member: SupervisedMember): Promise<void> {
  member.goOn();
  if (!member.isRunning) {
    await member.kill().catch(() => undefined);
    return;
  }
  const impatience = setTimeout(() => void member.kill('SIGKILL').catch(() => undefined), STOP_WITHIN_MS);
  await member.kill('SIGTERM');
  clearTimeout(impatience);
}
