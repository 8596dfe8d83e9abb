import type { Evaluator } from '#definitions';
import type { RunTarget } from '#store';
import type { Logger, Metrics } from '#telemetry';
import { SimulatedApi, type ApiBook } from '../actors/api.ts';
import { ProcessKit } from '../actors/process-kit.ts';
import { SimulatedScheduler } from '../actors/scheduler.ts';
import { SimulatedWorker } from '../actors/worker.ts';
import { Checker } from '../checker/checker.ts';
import { judgeRest, unrest } from '../checker/judge-rest.ts';
import { Ledger } from '../checker/ledger.ts';
import type { Violation } from '../checker/violation.ts';
import { Database } from '../database/database.ts';
import { DatabaseServer } from '../database/server.ts';
import { Hub } from '../network/hub.ts';
import { StreamServer } from '../network/stream-server.ts';
import { Weather } from '../network/weather.ts';
import { Kernel } from '../virtual/kernel.ts';
import { Random } from '../virtual/random.ts';
import { SimulatedProcess } from '../virtual/simulated-process.ts';
import { FaultDriver } from './fault-driver.ts';
import { Slot } from './fleet.ts';
import { randomPlan } from './plan-maker.ts';
import type { WorldSettings } from './settings.ts';

/** After the last fault everything has to come to its end within this time, or it is stuck. */
export const SETTLE_MS_MAX = 240_000;
/** The world is looked at this often for whether all is done. */
const LOOK_EVERY_MS = 200;
/** More happenings than any healthy world has. */
const EVENTS_MAX = 1_500_000;

/** What a world came to. */
export interface WorldResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<string, number>;
  readonly events: number;
  readonly simulatedMs: number;
  /** From the last fault until all was at rest. */
  readonly settledInMs: number;
  /** The longest time in the calm in which nothing moved although runs had not ended. */
  readonly longestSilenceMs: number;
  readonly runs: number;
  readonly moves: number;
  readonly effects: number;
  readonly asks: number;
  readonly ends: ReadonlyMap<string, number>;
  /** Of all that happened, in its order. */
  readonly historyHash: string;
}

export interface WorldPlain {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly evaluator: Evaluator;
}

/** Simulates one seed from its first event to rest, or to the first violation. */
export async function simulate(
  settings: WorldSettings,
  plain: WorldPlain,
  trace: ((line: string) => void) | null = null,
): Promise<WorldResult> {
  const kernel = new Kernel(settings.seed, trace);
  const world = new World(kernel, settings, plain);
  return world.run();
}

class World {
  private readonly shape: Random;
  private readonly database: Database;
  private readonly checker: Checker;
  private readonly kit: ProcessKit;
  private readonly ledger = new Ledger();
  private readonly book: ApiBook = { accepted: new Set(), cancelled: new Set() };
  private readonly schedulers: Slot[] = [];
  private readonly workers: Slot[] = [];
  private readonly clients: SimulatedProcess[] = [];
  private readonly targets: { target: RunTarget; keyed: boolean }[] = [];
  private readonly faults: FaultDriver;
  private isOver = false;
  private submitted = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly settings: WorldSettings,
    plain: WorldPlain,
  ) {
    const { seed, times, broken } = settings;
    this.shape = new Random(seed, 4);
    const weather = new Weather(new Random(seed, 5), settings.probabilities, settings.slowness);
    this.database = new Database(
      broken,
      () => kernel.now,
      () => kernel.random.uuid(),
    );
    this.checker = new Checker(this.database, kernel.now + settings.calmAtMs, settings.isSteadfast);
    const streams = new StreamServer(kernel, settings.streamLengthMax, ({ stream, body }, by) => {
      if (stream.includes('reports:')) this.checker.reports.note(body, by);
      else if (stream.includes('tasks:')) this.checker.reports.noteTask(body);
    });
    const server = new DatabaseServer(kernel, this.database);
    this.kit = new ProcessKit(kernel, server, streams, new Hub(kernel, weather), weather, this.ledger, times, broken, plain);
    const { schedulers, workers, clients } = this;
    this.faults = new FaultDriver(this.kit, settings, { schedulers, workers, clients }, this.checker);
  }

  async run(): Promise<WorldResult> {
    this.furnish();
    this.man();
    this.ask();
    this.faults.plan();
    this.watch();
    await this.kernel.run(() => this.isOver || this.checker.violations.length > 0);
    return this.result();
  }

  /** Deployments, teams and workflows: what exists before the first process. */
  private furnish(): void {
    const { shape, database, kernel } = this;
    database.everyoneLeads = this.settings.everyoneLeads;
    const deployments = ['default', 'finance'].slice(0, this.settings.deployments).map((name) => ({
      id: kernel.random.uuid(),
      name,
      concurrencyLimit: shape.chance(0.5) ? shape.int(1, 6) : null,
    }));
    for (const deployment of deployments) database.deployments.set(deployment.id, deployment);
    const teams = ['red', 'blue'].map((name) => ({
      name,
      concurrencyLimit: shape.chance(0.4) ? shape.int(1, 4) : null,
      weight: shape.int(1, 3),
    }));
    for (const team of teams) database.teams.set(team.name, team);
    for (let workflow = 0; workflow < 5; workflow += 1) {
      const plan = randomPlan(shape, this.settings.hasPoison);
      const workflowId = kernel.random.uuid();
      database.versions.set(`${workflowId} 1`, { workflowId, version: 1, name: `workflow-${workflow}`, plan });
      const target: RunTarget = {
        ...{ workflowId, workflowVersion: 1, environment: null, team: shape.pick([null, 'red', 'blue']), matchedBy: 'default' },
        ...{ deploymentId: shape.pick(deployments).id, stepCount: plan.steps.length, timeoutSeconds: plan.runTimeoutSeconds },
        ...{ priority: plan.priority, concurrencyLimit: plan.concurrency?.limit ?? null },
      };
      this.targets.push({ target, keyed: plan.concurrency !== null });
    }
  }

  private man(): void {
    const { kernel, kit, settings, shape } = this;
    for (let no = 1; no <= settings.schedulers; no += 1) {
      this.schedulers.push(
        new Slot(kernel, `scheduler ${no}`, (exit) => {
          const scheduler = new SimulatedScheduler(kit);
          return { start: () => scheduler.start(exit), stop: () => scheduler.stop() };
        }),
      );
    }
    const names = [...this.database.deployments.values()].map(({ name }) => name);
    // Each deployment has a worker at least.
    for (let no = 1; no <= Math.max(settings.workers, names.length); no += 1) {
      const [deployment = 'default', concurrency] = [names[(no - 1) % names.length], shape.int(1, 4)];
      this.workers.push(new Slot(kernel, `worker ${no}`, () => new SimulatedWorker(kit, deployment, `worker-${no}`, concurrency)));
    }
    for (const slot of [...this.schedulers, ...this.workers]) slot.start(shape.between(0, 300));
  }

  /** People: each starts a run, may cancel it, may retry it when it has ended. */
  private ask(): void {
    const { shape, settings, kernel } = this;
    for (let no = 1; no <= settings.runs; no += 1) {
      const { target, keyed } = shape.pick(this.targets);
      const concurrencyKey = keyed ? shape.pick(['a', 'b']) : null;
      const client = new SimulatedProcess(`client ${no}`);
      this.clients.push(client);
      const [cancels, retries] = [shape.chance(0.12), shape.chance(0.15)];
      const [cancelInMs, retryInMs] = [shape.between(0, 2_500), shape.between(500, 4_000)];
      kernel.plan(client, this.startOf(), 'wants a run', () => {
        const api = new SimulatedApi(this.kit, this.book);
        const input = { even: no % 2 === 0 };
        void (async () => {
          const runId = await api.submit(target, input, { concurrencyKey });
          if (cancels) {
            await pause(cancelInMs);
            await api.cancel(runId);
          }
          if (retries) {
            await pause(retryInMs);
            if (this.hasEnded(runId)) await api.retry(runId, target, input, concurrencyKey);
          }
          this.submitted += 1;
          client.die();
        })();
      });
    }
  }

  /** When somebody wants a run. Where all schedulers lead, many do at once: admissions then meet each other's half-written places. */
  private startOf(): number {
    const { shape, settings } = this;
    if (!settings.everyoneLeads) return shape.between(0, settings.calmAtMs * 0.7);
    return settings.calmAtMs * shape.pick([0.1, 0.3, 0.5]) + shape.between(0, 12);
  }

  private hasEnded(runId: string): boolean {
    return this.database.runs.committed.has(runId) && !this.database.live.committed.has(runId);
  }

  private watch(): void {
    const { kernel, settings } = this;
    const look = (): void => {
      if (kernel.elapsedMs > settings.calmAtMs && this.clients.every(({ alive }) => !alive) && this.isAtRest()) {
        judgeRest(this.checker, this.database, this.kit.streams, this.book, this.ledger, this.faults.lost);
        if (settings.deliversOnce) this.checker.judgeRunners();
        this.isOver = true;
      } else if (kernel.elapsedMs > settings.calmAtMs + SETTLE_MS_MAX || kernel.events > EVENTS_MAX) {
        this.checker.broken(
          'I1',
          `after ${Math.round(kernel.elapsedMs - settings.calmAtMs)} ms of calm: ${unrest(this.database, this.kit.streams) ?? 'clients wait'}`,
        );
      } else kernel.plan(kernel.outside, LOOK_EVERY_MS, 'look', look);
    };
    kernel.plan(kernel.outside, settings.calmAtMs + 1, 'look', look);
  }

  private isAtRest(): boolean {
    return unrest(this.database, this.kit.streams) === null;
  }

  private result(): WorldResult {
    const { kernel, checker, settings } = this;
    for (const row of this.database.audit) kernel.note(JSON.stringify(row));
    const ends = new Map<string, number>();
    for (const { state } of this.database.runs.committed.values()) ends.set(state, (ends.get(state) ?? 0) + 1);
    return {
      seed: settings.seed,
      violations: [...checker.violations, ...kernel.failures.map((what) => ({ invariant: 'crash', what }))],
      faults: this.kit.weather.counts,
      events: kernel.events,
      simulatedMs: kernel.elapsedMs,
      settledInMs: kernel.elapsedMs - settings.calmAtMs,
      longestSilenceMs: checker.longestSilenceMs,
      ...{ runs: this.database.runs.committed.size, moves: checker.moves, effects: this.ledger.asked.size, asks: this.ledger.asks, ends },
      historyHash: kernel.historyHash(),
    };
  }
}

function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
