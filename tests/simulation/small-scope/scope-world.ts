import { hash } from 'node:crypto';
import { groups } from '#contracts';
import { isTerminalRun } from '#core';
import { HotConnection, WorkerSessions, submitRuns } from '#store';
import { withoutRules } from '../actors/broken-reports.ts';
import { ProcessKit } from '../actors/process-kit.ts';
import { schedulerConfig, schedulerServices } from '../actors/scheduler.ts';
import { Checker } from '../checker/checker.ts';
import { Ledger } from '../checker/ledger.ts';
import { Database } from '../database/database.ts';
import type { Rules } from '../database/rules.ts';
import { DatabaseServer } from '../database/server.ts';
import { Hub } from '../network/hub.ts';
import { StreamServer } from '../network/stream-server.ts';
import { SimulatedProcess } from '../virtual/simulated-process.ts';
import type { WorldPlain } from '../world/world.ts';
import { ImmediateClient } from './immediate-client.ts';
import { plainBody, plainRows, suspicionsOf } from './plain-state.ts';
import { ScopeKernel } from './scope-kernel.ts';
import type { Choice, ScopeSettings } from './scope-settings.ts';
import { ScopeStreams } from './scope-streams.ts';
import { ScopeWeather } from './scope-weather.ts';
import { ScopeWorker } from './scope-worker.ts';

const TICK_MS = 600;
const LEASE_SECONDS = 1;
/** Moves that a failover may lose at the most. */
const LOST_MOVES_MAX = 2;
const DEPLOYMENT = { id: '00000000-0000-4000-8000-00000000000d', name: 'default' };
const EPOCH = { name: 'epoch', text: '' };
const WORKFLOW = '00000000-0000-4000-8000-00000000000f';

interface Scheduler {
  /** The epoch that it learned at its start. */
  epoch: number;
  sweptAt: number;
  process: SimulatedProcess;
  services: ReturnType<typeof schedulerServices>;
  busy: string | null;
}

interface Worker {
  epoch: number;
  process: SimulatedProcess;
  worker: ScopeWorker;
}

/** Two schedulers, two workers, a run or two, and every order in which messages and faults may come. */
export class ScopeWorld {
  readonly kernel = new ScopeKernel(1);
  readonly checker: Checker;
  private readonly database: Database;
  private readonly weather = new ScopeWeather();
  private readonly kit: ProcessKit;
  private readonly streams: ScopeStreams;
  private readonly schedulers: Scheduler[] = [];
  private readonly workers: Worker[] = [];
  private readonly left;
  /** What the database was, after its newest moves: a failover goes back to one of them. */
  private readonly copies: ReturnType<Database['backup']>[] = [];
  private lives = 0;

  constructor(
    private readonly settings: ScopeSettings,
    broken: Rules,
    plain: WorldPlain,
  ) {
    const { kernel, weather } = this;
    this.database = new Database(
      broken,
      () => kernel.now,
      () => kernel.random.uuid(),
    );
    this.checker = new Checker(this.database, Number.POSITIVE_INFINITY, false);
    const server = new StreamServer(kernel, 100_000, ({ stream, body }, by) => {
      if (stream.includes('reports:')) this.checker.reports.note(body, by);
    });
    const times = { lease: LEASE_SECONDS, heartbeat: 0.3, sweep: 0.5 };
    this.kit = new ProcessKit(
      kernel,
      new DatabaseServer(kernel, this.database),
      server,
      new Hub(kernel, weather),
      weather,
      new Ledger(),
      times,
      broken,
      plain,
    );
    this.streams = new ScopeStreams(server.broker, LEASE_SECONDS * 1000);
    const { crashes, wipes, doubles, cuts, stalls, failovers, haste } = settings;
    this.left = { crashes, wipes, doubles, cuts, stalls, failovers, haste };
    this.database.onCommit((tx) => {
      if (this.left.failovers > 0 && tx.audit.length > 0) this.copies.unshift(this.database.backup());
      this.copies.splice(this.left.failovers > 0 ? LOST_MOVES_MAX + 1 : 0);
    });
  }

  /** Rows of the runs, processes that have started. */
  async begin(): Promise<void> {
    const { database, settings } = this;
    database.deployments.set(DEPLOYMENT.id, { ...DEPLOYMENT, concurrencyLimit: settings.limit });
    database.versions.set(`${WORKFLOW} 1`, { workflowId: WORKFLOW, version: 1, name: 'small', plan: settings.plan });
    for (const at of [0, 1]) await this.startScheduler(at);
    for (const at of [0, 1]) this.startWorker(at);
    const target = {
      ...{
        workflowId: WORKFLOW,
        workflowVersion: 1,
        environment: null,
        team: null,
        deploymentId: DEPLOYMENT.id,
        matchedBy: 'default' as const,
      },
      ...{ stepCount: settings.plan.steps.length, timeoutSeconds: null, priority: 0, concurrencyLimit: null },
    };
    const runs = Array.from({ length: settings.runs }, (_, at) => ({
      ...{
        id: `00000000-0000-7000-8000-00000000000${at + 1}`,
        target,
        inputJson: '{}',
        actor: 'api',
        retryOf: null,
        concurrencyKey: null,
        reason: null,
      },
    }));
    await submitRuns(this.immediate(), runs);
  }

  get isAtRest(): boolean {
    const { live, runs } = this.database;
    const isDone = live.committed.size === 0 && [...runs.committed.values()].every(({ state }) => isTerminalRun(state));
    return (
      isDone &&
      this.kernel.possible.length === 0 &&
      this.schedulers.every(({ busy }) => busy === null) &&
      this.streams.lengths(this.database.epoch) === 0
    );
  }

  /** What could happen next. The first is what does when nobody chooses; faults come last. */
  choices(): Choice[] {
    const usual = [...this.messages(), ...this.beginnings()];
    const tick: Choice = { label: 'time passes', run: () => this.tick() };
    if (usual.length === 0) return [tick, ...this.faults()];
    const hasty: Choice = { label: 'time passes', run: () => this.spend('haste', () => this.tick()) };
    return [...usual, ...(this.left.haste > 0 ? [hasty] : []), ...this.faults()];
  }

  /** Stands for everything that the future depends on. Ages instead of times, and no ids that only chance has chosen. */
  fingerprint(): string {
    const { epoch } = this.database;
    const rows = [this.database.backup(), ...this.copies].map((copy) => plainRows(copy, this.kernel.now));
    const processes = [
      ...this.schedulers.map(({ epoch, process, services, busy, sweptAt }) => [
        epoch,
        busy,
        sweptAt === this.kernel.now,
        this.kernel.knowledgeOf(process),
        suspicionsOf(services.sweeps, this.kernel.elapsedMs),
      ]),
      ...this.workers.map(({ epoch, process, worker }) => [
        ...[epoch, worker.session, worker.isStalled, worker.isTaking, this.kernel.knowledgeOf(process)],
        worker.held.all().map(({ tuple, phase, dropped }) => [tuple, phase, dropped]),
      ]),
    ];
    const underWay = this.kernel.possible.map(({ key }) => key);
    const marks: unknown = Reflect.get(this.kit.streams.broker, 'marks');
    const marked = marks instanceof Map ? [...marks].map(([key, mark]: [string, { value: string }]) => [key, mark.value]) : [];
    return hash(
      'sha1',
      JSON.stringify([epoch, rows, marked, this.streams.contents(epoch, this.kernel.now), processes, underWay, this.left]),
      'base64',
    );
  }

  private messages(): Choice[] {
    return this.kernel.possible.map((possible) => ({ label: possible.label, run: () => this.kernel.perform(possible) }));
  }

  private beginnings(): Choice[] {
    const ofSchedulers = this.schedulers.filter(({ busy }) => busy === null).flatMap((scheduler) => this.dutiesOf(scheduler));
    const ofWorkers = this.workers.flatMap((each) => this.workOf(each));
    return [...ofSchedulers, ...ofWorkers];
  }

  private dutiesOf(scheduler: Scheduler): Choice[] {
    const { services, process } = scheduler;
    const duties: Choice[] = [];
    const apply = withoutRules(this.kit.broken, this.database, (batch) => services.reports.apply(batch));
    const duty = (name: string, work: () => Promise<unknown>) => {
      duties.push({ label: `${process.name} ${name}`, run: () => this.startDuty(scheduler, name, work) });
    };
    if (scheduler.epoch !== this.database.epoch)
      duties.push({ label: `${process.name} notices the epoch`, run: () => this.startScheduler(this.schedulers.indexOf(scheduler)) });
    if (this.streams.mayTake(scheduler.epoch, 'reports:default', groups.schedulers, this.kernel.now)) {
      duty('applies reports', async () => {
        const batch = this.streams.take(scheduler.epoch, 'reports:default', groups.schedulers, process.name, this.kernel.now);
        this.kernel.notice(process, JSON.stringify(batch.map(({ body }) => plainBody(body))));
        const handled = await apply(batch).then(
          () => true,
          () => false,
        );
        if (handled) await services.transport.ack(batch, groups.schedulers);
      });
    }
    const queued = [...this.database.live.committed.values()].some(({ phase }) => phase === 'queued');
    const mayAdmit =
      this.settings.limit === null ||
      [...this.database.live.committed.values()].filter(({ phase }) => phase === 'running').length < this.settings.limit;
    if (queued && mayAdmit) duty('admits', () => services.admission.admitAll());
    // Once per look at the clock: the same rows at the same time tell it nothing new.
    if (scheduler.sweptAt !== this.kernel.now && this.hasSilentSteps())
      duty('sweeps', () => {
        scheduler.sweptAt = this.kernel.now;
        return services.sweeps.sweep(false);
      });
    return duties;
  }

  private hasSilentSteps(): boolean {
    const { steps, sessions } = this.database;
    const alive = [...sessions.committed.values()].filter(({ expiresAt }) => expiresAt > this.kernel.now);
    return [...steps.committed.values()].some(
      ({ runId, stepNo, dispatchNo, state, changedAt }) =>
        (state === 'DISPATCHED' || state === 'RUNNING') &&
        this.kernel.now - changedAt > LEASE_SECONDS * 1000 &&
        !alive.some(({ held }) => held.some(([run, no, dispatch]) => run === runId && no === stepNo && dispatch === dispatchNo)),
    );
  }

  private async startDuty(scheduler: Scheduler, name: string, work: () => Promise<unknown>): Promise<void> {
    scheduler.busy = name;
    this.kernel.forget(scheduler.process);
    this.kernel.within(scheduler.process, () => {
      void work()
        .catch(() => undefined)
        .then(() => {
          scheduler.busy = null;
          this.kernel.forget(scheduler.process);
        });
    });
    await this.kernel.settle();
  }

  private workOf(each: Worker): Choice[] {
    const { epoch, process, worker } = each;
    const choices: Choice[] = [];
    if (epoch !== this.database.epoch)
      choices.push({
        label: `${process.name} notices the epoch`,
        run: () => Promise.resolve(this.startWorker(this.workers.indexOf(each))),
      });
    if (!worker.isTaking && this.streams.mayTake(epoch, 'tasks:default', groups.workers, this.kernel.now)) {
      choices.push({
        label: `${process.name} takes tasks`,
        run: async () => {
          if (worker.isIdle) this.kernel.forget(process);
          const batch = this.streams.take(epoch, 'tasks:default', groups.workers, process.name, this.kernel.now);
          this.kernel.notice(process, `takes ${JSON.stringify(batch.map(({ body, deliveries }) => [plainBody(body), deliveries]))}`);
          void this.kernel.within(process, () => worker.take(batch));
          await this.kernel.settle();
        },
      });
    }
    for (const step of worker.ready) {
      choices.push({
        label: `${process.name} ends ${step.task.runId.slice(-1)}/${step.task.stepNo}#${step.task.dispatchNo}`,
        run: async () => {
          this.kernel.notice(process, `ends ${step.tuple.join(' ')}`);
          this.kernel.within(process, () => worker.finish(step));
          await this.kernel.settle();
        },
      });
    }
    return choices;
  }

  private faults(): Choice[] {
    const { left } = this;
    const faults: Choice[] = [];
    if (left.crashes > 0) {
      for (const [at, { process, busy }] of this.schedulers.entries())
        if (busy !== null)
          faults.push({ label: `${process.name} crashes`, run: () => this.spend('crashes', () => this.startScheduler(at)) });
      for (const [at, { process, worker }] of this.workers.entries())
        if (worker.held.size > 0 || worker.isTaking)
          faults.push({ label: `${process.name} crashes`, run: () => this.spend('crashes', () => this.startWorker(at)) });
    }
    if (left.wipes > 0 && this.streams.lengths(this.database.epoch) > 0)
      faults.push({ label: 'the streams are wiped', run: () => this.spend('wipes', () => this.kit.streams.broker.flush()) });
    if (left.doubles > 0)
      for (const { stream, body } of this.kit.streams.seen.filter(({ stream }) => !stream.includes('heartbeats')).slice(-2))
        faults.push({ label: `${stream} doubles`, run: () => this.spend('doubles', () => this.kit.streams.broker.add(stream, body)) });
    if (left.stalls > 0)
      for (const { process, worker } of this.workers)
        if (worker.held.size > 0 && !worker.isStalled)
          faults.push({ label: `${process.name} stalls`, run: () => this.spend('stalls', () => (worker.isStalled = true)) });
    if (left.cuts > 0) faults.push(...this.cuts());
    if (left.failovers > 0)
      for (const [lost, copy] of this.copies.entries())
        if (lost > 0)
          faults.push({ label: `a failover loses ${lost} moves`, run: () => this.spend('failovers', () => this.failOver(copy)) });
    return faults;
  }

  private failOver(copy: ReturnType<Database['backup']>): void {
    this.kit.databases.endAll();
    this.database.restore(copy);
    this.checker.restored();
    this.copies.length = 0;
  }

  /** The server does it, or does not, and the answer never comes. */
  private cuts(): Choice[] {
    return this.kernel.possible.flatMap((possible): Choice[] => {
      const kinds = possible.label.startsWith('postgres does')
        ? (['statement lost', 'commit answer lost'] as const)
        : (['answer lost'] as const);
      return kinds.map((fault) => ({
        label: `${possible.label}, ${fault}`,
        run: () =>
          this.spend('cuts', async () => {
            this.weather.arm(fault);
            await this.kernel.perform(possible);
            this.weather.disarm();
            await this.kernel.settle();
          }),
      }));
    });
  }

  private async spend(budget: keyof ScopeWorld['left'], work: () => unknown): Promise<void> {
    this.left[budget] -= 1;
    await work();
    await this.kernel.settle();
  }

  /** Time passes: workers beat, and hear what they hold in vain. */
  private async tick(): Promise<void> {
    this.kernel.now += TICK_MS;
    const sessions = new WorkerSessions(this.immediate());
    for (const { epoch, process, worker } of this.workers) {
      // Heartbeats travel in the streams of an epoch: without a scheduler of theirs nobody hears them.
      if (worker.isStalled || !this.schedulers.some((scheduler) => scheduler.epoch === epoch)) continue;
      const beat = {
        ...{ session: worker.session, deploymentId: DEPLOYMENT.id, worker: 'w', concurrency: 1, kinds: [] },
        ...worker.held.listed(),
      };
      await sessions.beat([beat], LEASE_SECONDS);
      for (const { runId, stepNo, dispatchNo } of await sessions.staleHolds([beat])) {
        this.kernel.notice(process, `drops ${runId} ${stepNo} ${dispatchNo}`);
        this.kernel.within(process, () => worker.drop(runId, stepNo, dispatchNo));
      }
    }
    await this.kernel.settle();
  }

  private immediate(): HotConnection {
    return new HotConnection('postgres://simulated', 'immediate', undefined, () => new ImmediateClient(this.kit.databases));
  }

  /** In the place of one that crashed, if there was one. */
  private async startScheduler(at: number): Promise<void> {
    this.schedulers[at]?.process.die();
    this.lives += 1;
    const process = new SimulatedProcess(`scheduler ${at + 1}.${this.lives}`);
    const { epoch } = this.database;
    const services = this.kernel.within(process, () => schedulerServices(this.kit, schedulerConfig(this.kit.times), epoch));
    this.schedulers[at] = { epoch, process, services, busy: null, sweptAt: 0 };
    // What it learns at its start is the same whenever that is: no choice is offered on the way.
    const started = this.kernel.within(process, () =>
      Promise.all([services.deployments.refresh(), services.plans.get(WORKFLOW, 1), services.writing.query(EPOCH, [])]),
    );
    let done = false;
    void started.then(() => (done = true));
    await this.kernel.settle();
    while (!done) {
      const own = this.kernel.possible.find(({ label }) => label.endsWith(process.name));
      if (!own) throw new Error('A scheduler waits for nothing at its start.');
      await this.kernel.perform(own);
    }
    this.kernel.forget(process);
  }

  private startWorker(at: number): void {
    this.workers[at]?.process.die();
    this.lives += 1;
    const process = new SimulatedProcess(`worker ${at + 1}.${this.lives}`);
    const session = `0000000${this.lives}-0000-4000-8000-000000000000`;
    const { epoch } = this.database;
    this.workers[at] = {
      epoch,
      process,
      worker: this.kernel.within(process, () => new ScopeWorker(session, DEPLOYMENT.name, epoch, this.kit.transport(epoch))),
    };
  }
}
