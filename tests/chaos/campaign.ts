import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilWorkersAreIdle } from '../harness/idle-workers.ts';
import { Afflictions, mendWorld } from './afflictions.ts';
import { messageOf, now, rest, within } from './clock.ts';
import { STEP_HANDLERS } from './faults/step-runs.ts';
import { Journal } from './journal.ts';
import { JsonLines } from './json-lines.ts';
import { judge } from './judge/judge.ts';
import { type Fact, factsOf } from './judge/verdict.ts';
import type { ChaosOptions } from './options.ts';
import { OutsideWorld } from './outside-world/outside-world.ts';
import { pictureOf } from './report/picture.ts';
import { type Report, reportOf } from './report/summary.ts';
import { markdownOf } from './report/tell.ts';
import { CALM, QUICK, dealTurns, describeTurn } from './schedule.ts';
import { LossWatch } from './watch/loss-watch.ts';
import { ProgressWatch } from './watch/progress-watch.ts';
import { ReadinessWatch } from './watch/readiness-watch.ts';
import { Caller } from './workload/caller.ts';
import { Workload } from './workload/workload.ts';
import type { Fault } from './world/types.ts';
import { withClient } from './world/with-client.ts';
import { ChaosWorld } from './world/world.ts';

const greenWithinMs = 60_000;
const answersWithinMs = 60_000;
/** What is open has so long from one end of a run to the next, and so long in all. */
const drainSilenceMsMax = 90_000;
const drainWithinMs = 600_000;
const settleWithinMs = 20_000;
const stopWithinMs = 60_000;
const tellEveryMs = 5_000;
const scheduleTold = 12;
const explainedMax = 20;

/** One run of the driver: a world, a workload, faults, a judgement. */
export class Campaign {
  private readonly journal: Journal;
  private readonly history: JsonLines;
  private readonly effects: JsonLines;
  private readonly over = new AbortController();

  constructor(
    private readonly options: ChaosOptions,
    private readonly deck: readonly Fault[],
    private readonly folder: string,
    private readonly say: (line: string) => void,
  ) {
    this.journal = new Journal(join(folder, 'journal.jsonl'));
    this.history = new JsonLines(join(folder, 'history.jsonl'));
    this.effects = new JsonLines(join(folder, 'effects.jsonl'));
  }

  /** Makes the folder, and begins nothing yet. */
  static async in(folder: string, options: ChaosOptions, deck: readonly Fault[], say: (line: string) => void): Promise<Campaign> {
    await mkdir(folder, { recursive: true });
    return new Campaign(options, deck, folder, say);
  }

  /** An error of the driver that nobody caught: it is counted, and the run goes on. */
  addError(where: string, error: unknown): void {
    this.journal.addError(where, error);
  }

  /** Ends the faults and the workload early; what has happened is judged all the same. */
  interrupt(): void {
    this.over.abort();
  }

  async run(): Promise<Report> {
    const startedAt = now();
    const outside = await OutsideWorld.start(this.effects, this.options.seed);
    let world: ChaosWorld | undefined;
    try {
      world = await ChaosWorld.start({
        outsidePort: outside.port,
        env: { worker: { HANDLERS: STEP_HANDLERS } },
        say: (what) => this.say(`Starting ${what} …`),
      });
      return await this.runIn(world, outside, startedAt);
    } finally {
      if (world) await this.close(world);
      await outside.stop();
      for (const file of [this.history, this.effects, this.journal]) file.close();
    }
  }

  private async runIn(world: ChaosWorld, outside: OutsideWorld, startedAt: number): Promise<Report> {
    const readiness = new ReadinessWatch(world, this.journal);
    const progress = new ProgressWatch(world, this.journal, readiness);
    const watching = new AbortController();
    const watches = [readiness, new LossWatch(world, this.journal), progress].map((watch) =>
      watch.run(watching.signal).catch((error: unknown) => this.journal.addError('watching', error)),
    );
    const caller = new Caller(world.apiUrl(), world.token, this.history);
    const workload = new Workload(caller, this.journal, {
      ...this.options,
      outsideUrl: `${world.outsideUrl}/effects`,
      openNow: () => progress.last?.open ?? 0,
    });
    try {
      await workload.prepare();
      const from = now();
      await this.strike(world, readiness, workload, progress);
      const rested = await this.comeToRest(world, readiness, workload, caller);
      watching.abort();
      await Promise.race([Promise.all(watches), rest(5_000)]);
      return await this.report({ world, outside, workload, caller, startedAt, from, ...rested });
    } finally {
      watching.abort();
      await caller.close();
    }
  }

  /** The time of faults: the workload and the schedule run side by side until it is over. */
  private async strike(world: ChaosWorld, readiness: ReadinessWatch, workload: Workload, progress: ProgressWatch): Promise<void> {
    const { seed, minutes, quick } = this.options;
    const pace = quick ? QUICK : CALM;
    const first = [...dealTurns(seed, this.deck, pace).take(scheduleTold)];
    this.phase(`${minutes} minutes of faults, seed ${seed}`);
    for (const turn of first) this.say(`  ${describeTurn(turn)}`);
    if (first.length === scheduleTold) this.say('  … and so on, as --schedule shows');
    const running = workload.run();
    const time = AbortSignal.any([AbortSignal.timeout(minutes * 60_000), this.over.signal]);
    const afflictions = new Afflictions(world, this.journal, readiness, (line) => this.say(`  ${line}`));
    const telling = this.tellProgress(workload, progress, readiness, time);
    await Promise.all([afflictions.run(dealTurns(seed, this.deck, pace), time), rest(minutes * 60_000, time)]);
    void workload.stop(answersWithinMs);
    await Promise.all([running, telling]);
  }

  private async tellProgress(workload: Workload, progress: ProgressWatch, readiness: ReadinessWatch, signal: AbortSignal): Promise<void> {
    const began = now();
    for (;;) {
      await rest(tellEveryMs, signal);
      if (signal.aborted) return;
      const { accepted, leftOut } = workload.counts;
      const red = readiness.redMembers();
      const faults = this.journal.faults.filter(({ inflictedAt }) => inflictedAt !== null).length;
      const open = progress.last ? `${progress.last.open} open` : 'the database is away';
      this.say(
        `${Math.round((now() - began) / 1000)} s: ${accepted} runs accepted${leftOut > 0 ? `, ${leftOut} left out` : ''}, ${open}, ${faults} faults${red.length > 0 ? `, not ready: ${red.join(', ')}` : ''}`,
      );
    }
  }

  /** Everything is whole again and nothing new comes: all must end now, within a bound. */
  private async comeToRest(world: ChaosWorld, readiness: ReadinessWatch, workload: Workload, caller: Caller) {
    this.phase('everything heals, and what is open ends');
    const healedAt = now();
    const greenAt = await readiness.untilGreen(now(), greenWithinMs);
    if (greenAt === undefined) {
      this.journal.addError('at the end', new Error(`not ready: ${readiness.redMembers().join(', ')}`));
      await mendWorld(world, this.journal);
    }
    await workload.stop(answersWithinMs);
    const open = await this.drain(world);
    if (open.length > 0) this.say(`${open.length} runs have not ended.`);
    const explained: object[] = [];
    for (const runId of open.slice(0, explainedMax)) explained.push((await caller.explain(runId)) ?? { runId, explain: 'no answer' });
    await this.settle(world);
    return {
      until: now(),
      openAtEnd: open.length,
      explained,
      greenAtEndMs: greenAt === undefined ? undefined : greenAt - healedAt,
    };
  }

  /** Waits until no run is open; the ids of those that still are when a bound is reached. */
  private async drain(world: ChaosWorld): Promise<string[]> {
    const open = () =>
      within(10_000, 'reading open runs', world.postgres.sql<{ id: string }>('select run_id::text as id from live_runs order by 1')).then(
        (rows) => rows.map(({ id }) => id),
        (error: unknown) => [messageOf(error)],
      );
    const deadline = now() + drainWithinMs;
    let fewest = { count: Infinity, at: now() };
    for (let told = now(); ; await rest(250)) {
      const ids = await open();
      if (ids.length < fewest.count) fewest = { count: ids.length, at: now() };
      if (ids.length === 0 || now() >= deadline || now() - fewest.at > drainSilenceMsMax) return ids;
      if (now() - told < tellEveryMs) continue;
      told = now();
      this.say(`${ids.length} runs are open`);
    }
  }

  /** Leases of those that are gone run out, and the living tell that they hold nothing. */
  private async settle(world: ChaosWorld): Promise<void> {
    const deadline = now() + settleWithinMs;
    const left = () =>
      world.postgres.sql(
        'select from worker_sessions where cardinality(held_runs) > 0 or expires_at < now() - make_interval(secs => 1) limit 1',
      );
    while (now() < deadline) {
      const rows = await within(5_000, 'reading sessions', left()).catch(() => [{}]);
      if (rows.length === 0) break;
      await rest(250);
    }
    await withClient(world.postgres.ownerUrl, (client) => untilWorkersAreIdle(client, world.members('worker').length)).catch(
      (error: unknown) => this.journal.addError('at the end', new Error(messageOf(error))),
    );
  }

  private async report(input: {
    world: ChaosWorld;
    outside: OutsideWorld;
    workload: Workload;
    caller: Caller;
    startedAt: number;
    from: number;
    until: number;
    openAtEnd: number;
    explained: readonly object[];
    greenAtEndMs: number | undefined;
  }): Promise<Report> {
    const { world, outside, workload, caller, from, until, startedAt, openAtEnd, explained, greenAtEndMs } = input;
    this.phase('the judge reads');
    for (const file of [this.history, this.effects]) file.flush();
    const { journal } = this;
    const judgement = await judge({ world, journal, historyFile: this.history.file, effectsFile: this.effects.file, from, until });
    const seen = {
      ...{ judgement, journal, workload: workload.counts, caller, world, openAtEnd, greenAtEndMs },
      ...{ leaseSeconds: world.times.leaseSeconds, effectsWithoutKey: outside.counts.withoutKey, busy: this.options.busy },
    };
    const facts: readonly Fact[] = factsOf(seen);
    const more = { options: this.options, startedAt, endedAt: now(), facts, outsideCounts: outside.counts, explained };
    const report = reportOf({ ...seen, ...more });
    const title = `FlowForge under faults: seed ${report.seed}, ${report.minutes} minutes, ${judgement.runs} runs, ${report.faults.inflicted} faults`;
    await writeFile(join(this.folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(join(this.folder, 'report.md'), markdownOf(report));
    await writeFile(join(this.folder, 'picture.svg'), pictureOf({ title, from, series: judgement.series, faults: journal.faults }));
    return report;
  }

  /** The logs of all lives go into the folder before the world is taken away. */
  private async close(world: ChaosWorld): Promise<void> {
    const logs = join(this.folder, 'logs');
    await mkdir(logs, { recursive: true });
    for (const { name, lines } of world.members()) {
      await writeFile(join(logs, `${name.replace(' ', '-')}-last.log`), `${lines.join('\n')}\n`).catch(() => undefined);
    }
    const earlier = join(world.folder, 'logs');
    for (const name of await readdir(earlier).catch(() => [])) await copyFile(join(earlier, name), join(logs, name)).catch(() => undefined);
    await within(stopWithinMs, 'ending the world', world.stop()).catch((error: unknown) =>
      this.journal.addError('ending the world', error),
    );
  }

  private phase(what: string): void {
    this.journal.add({ kind: 'phase', what });
    this.say(what);
  }

  /** Removes what only a failed run needs. */
  static async tidy(folder: string): Promise<void> {
    for (const name of ['history.jsonl', 'effects.jsonl', 'journal.jsonl', 'logs'])
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
