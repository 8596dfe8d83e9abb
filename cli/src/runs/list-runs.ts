import { setTimeout as pause } from 'node:timers/promises';
import { RunPage, type RunSummary, paths } from '#contracts';
import type { Json } from '#core';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { ApiClient, Items, Query } from '../http/api-client.ts';
import { interruptedError, isUnreachable } from '../http/unreachable.ts';
import type { Session } from '../session.ts';
import { LiveArea } from '../terminal/live-area.ts';
import { findWorkflow } from '../workflows/find-workflow.ts';
import { runsTable } from './runs-table.ts';

/** Runs that one call lists at most. */
export const RUNS_LISTED_MAX = 10_000;
const LOOK_EVERY_MS = 2_000;

export interface ListOptions {
  readonly workflow: string | undefined;
  readonly state: readonly string[];
  readonly environment: string | undefined;
  readonly team: string | undefined;
  /** Runs created in the last so many milliseconds. */
  readonly sinceMs: number | undefined;
  readonly limit: number;
  readonly watch: boolean;
}

/** `flowforge runs`: lists runs, newest first; with --watch again and again until Ctrl-C. */
export async function listRuns(session: Session, options: ListOptions): Promise<ExitCode> {
  const client = await session.connect();
  const query = await queryOf(session, client, options);
  if (options.watch) return watchRuns(session, client, query, options.limit);
  const { items, json, nextCursor } = await readRuns(client, query, options.limit);
  if (session.output === 'json') session.sayJson({ items: json, nextCursor });
  else if (session.output === 'name') session.say(...items.map(({ id }) => id));
  else session.say(...runsTable(session, items));
  if (items.length === 0) session.note('No runs.');
  if (nextCursor !== null && session.output !== 'json') session.note(`There are more; --limit shows up to ${RUNS_LISTED_MAX}.`);
  return EXIT.ok;
}

async function queryOf(session: Session, client: ApiClient, options: ListOptions): Promise<Query> {
  const { workflow, state, environment, team, sinceMs } = options;
  return {
    workflowId: workflow === undefined ? undefined : (await findWorkflow(client, workflow)).value.id,
    state: state.length === 0 ? undefined : state,
    environment,
    team,
    since: sinceMs === undefined ? undefined : new Date(session.now - sinceMs).toISOString(),
  };
}

function readRuns(client: ApiClient, query: Query, limit: number): Promise<Items<RunSummary>> {
  return client.list(paths.runs, RunPage, query, limit);
}

/** On a terminal the table is drawn in place; elsewhere each run that is new or has moved gets a line. Ends only by Ctrl-C. */
async function watchRuns(session: Session, client: ApiClient, query: Query, limit: number): Promise<ExitCode> {
  const { interrupted } = session.world;
  const show = session.world.stdout.isTTY && session.output !== 'json' ? tableInPlace(session) : changedLines(session);
  while (!interrupted.aborted) {
    try {
      show(await readRuns(client, query, limit));
    } catch (error) {
      if (interrupted.aborted) break;
      if (!isUnreachable(error)) throw error;
      session.note(`${error instanceof Error ? error.message : String(error)} Trying again.`);
    }
    await pause(LOOK_EVERY_MS, undefined, { signal: interrupted }).catch(() => undefined);
  }
  throw interruptedError();
}

function tableInPlace(session: Session): (found: Items<RunSummary>) => void {
  const area = new LiveArea(session.world.stdout);
  return ({ items }) => {
    const lines = runsTable(session, items);
    // The heading stays in sight: what does not fit is cut at the end, which is oldest.
    area.draw(lines.length === 0 ? ['No runs.'] : lines.slice(0, session.world.stdout.rows - 1));
  };
}

function changedLines(session: Session): (found: Items<RunSummary>) => void {
  const seen = new Map<string, number>();
  return ({ items, json }) => {
    const changed = items.flatMap((run, index) => (seen.get(run.id) === run.version ? [] : [{ run, json: json[index] ?? null }]));
    for (const { run } of changed) seen.set(run.id, run.version);
    const oldestFirst = changed.toReversed();
    if (session.output === 'json') session.say(...oldestFirst.map((one) => jsonLine(one.json)));
    else if (session.output === 'name') session.say(...oldestFirst.map(({ run }) => run.id));
    else
      session.say(
        ...runsTable(
          session,
          oldestFirst.map(({ run }) => run),
        ).slice(1),
      );
  };
}

function jsonLine(json: Json): string {
  return JSON.stringify(json);
}
