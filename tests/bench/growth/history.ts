import type pg from 'pg';
import { withClient, type FlowForgeDatabase } from '../servers.ts';

/** Runs of one transaction. */
const CHUNK = 100_000;
/** Over which the history is spread, until now. */
const DAYS = 300;
const TELL_EVERY_MS = 10_000;
/** Bytes on disk of a run with its rows, as far as is known: refused when there is no room for them. */
export const BYTES_PER_RUN = { full: 2_600, thin: 1_000 } as const;

/** One run in ten thousand is in this environment, and one of this team: a list of them must not walk past the others. */
export const RARE = { environment: 'development', team: 'small' } as const;

export interface HistoryOptions {
  readonly runs: number;
  readonly history: 'full' | 'thin';
  readonly workflowIds: readonly string[];
  readonly tell: (line: string) => void;
}

/** What was filled in: the id of a run far back, for pages there. */
export interface History {
  readonly farRunId: string;
  readonly megabytes: number;
  readonly seconds: number;
}

/**
 * Writes finished runs, with the rows that the engine would have left of them, into the real tables: set-based, without the triggers that
 * would audit them as of now. Ids carry the moments, so rows, partitions and pages lie as they would.
 */
export async function fillHistory(database: FlowForgeDatabase, { runs, history, workflowIds, tell }: HistoryOptions): Promise<History> {
  const began = performance.now();
  await withClient(database.ownerUrl, makePartitions);
  return await withClient(database.superuserUrl, async (client) => {
    await client.query("set session_replication_role = replica; set synchronous_commit = off; set work_mem = '256MB'");
    await client.query('create temporary table bench_chunk (like workflow_runs)');
    let toldAt = began;
    for (let from = 0; from < runs; from += CHUNK) {
      await writeChunk(client, { from, to: Math.min(from + CHUNK, runs), runs, workflowIds, history });
      if (performance.now() - toldAt < TELL_EVERY_MS) continue;
      toldAt = performance.now();
      tell(
        `  … ${(from + CHUNK).toLocaleString('en-US')} of ${runs.toLocaleString('en-US')} runs, ${((toldAt - began) / 1000).toFixed(0)} s`,
      );
    }
    tell('  … vacuum, analyze, checkpoint');
    for (const table of ['workflow_runs', 'ended_runs', 'run_inputs', 'step_runs', 'workflow_transition_audit'])
      await client.query(`vacuum (analyze) ${table}`);
    await client.query('checkpoint');
    const { rows } = await client.query<{ far: string; bytes: string }>(
      `select (select id from workflow_runs where id > flowforge_uuid_floor(now() - interval '${DAYS * 0.9} days') order by id limit 1) as far,
              pg_database_size(current_database()) as bytes`,
    );
    return { farRunId: rows[0]?.far ?? '', megabytes: Number(rows[0]?.bytes ?? 0) / 2 ** 20, seconds: (performance.now() - began) / 1000 };
  });
}

/** Months behind this one; the engine makes those ahead. */
async function makePartitions(owner: pg.Client): Promise<void> {
  await owner.query(`
    do $$
    declare
      month date := date_trunc('month', now() - interval '${DAYS} days');
      name text;
    begin
      while month < date_trunc('month', now()) loop
        name := 'workflow_transition_audit' || to_char(month, '_YYYY_MM');
        if to_regclass(name) is null then
          execute format('create table %I partition of workflow_transition_audit for values from (%L) to (%L)', name,
            flowforge_uuid_floor(month::timestamp at time zone 'UTC'), flowforge_uuid_floor((month + interval '1 month') at time zone 'UTC'));
        end if;
        month := month + interval '1 month';
      end loop;
    end $$`);
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly runs: number;
  readonly workflowIds: readonly string[];
  readonly history: 'full' | 'thin';
}

async function writeChunk(client: pg.Client, { from, to, runs, workflowIds, history }: Chunk): Promise<void> {
  await client.query('begin');
  await client.query('truncate bench_chunk');
  await client.query(CHUNK_OF_RUNS, [from, to - 1, runs, workflowIds]);
  await client.query('insert into workflow_runs select * from bench_chunk');
  await client.query(
    `insert into ended_runs (state, run_id, started_at, workflow_id, environment, team)
     select state, id, started_at, workflow_id, environment, coalesce(team, '') from bench_chunk`,
  );
  if (history === 'full') {
    await client.query(`insert into run_inputs (run_id, input) select id, '{}' from bench_chunk`);
    await client.query(STEPS);
  }
  await client.query(history === 'full' ? AUDIT_FULL : AUDIT_THIN);
  await client.query('commit');
}

const ENVIRONMENT = `case when g % 10000 = 0 then '${RARE.environment}' else (array['production', 'production', 'uat', 'qa'])[1 + g % 4] end`;

/** $1 first and $2 last number · $3 runs in all · $4 workflows. 94 % succeeded, spread evenly over time. */
const CHUNK_OF_RUNS = `
  insert into bench_chunk (id, workflow_id, workflow_version, environment, team, deployment_id, matched_by, created_by, state, version, cause_id, actor,
                           created_at, changed_at, started_at, ended_at)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(g % 4096), 3, '0') || '8' || lpad(to_hex(g), 15, '0'))::uuid,
         ($4::uuid[])[1 + g % cardinality($4::uuid[])], 1, ${ENVIRONMENT},
         case when g % 10000 = 1 then '${RARE.team}' else (array['finance', 'marketing', 'shared', null])[1 + (g / 4) % 4] end, d.id, 'environment', 'bench',
         (case when g % 100 < 94 then 'SUCCEEDED' when g % 100 < 98 then 'FAILED' when g % 100 < 99 then 'CANCELLED' else 'TIMED_OUT' end)::run_state,
         3, gen_random_uuid(), 'scheduler', at, at + interval '40 milliseconds', at + interval '5 milliseconds', at + interval '40 milliseconds'
    from generate_series($1::bigint, $2::bigint) g
   cross join lateral (select now() - interval '${DAYS} days' + (g * (interval '${DAYS} days' / $3::float8)) as at) moment
    join deployments d on d.environment = ${ENVIRONMENT} and d.team is null
   order by g`;

const STEPS = `
  insert into step_runs (run_id, step_no, name, state, version, epoch, dispatch_no, attempt, timeout_seconds, cause_id, actor, created_at, changed_at, started_at, ended_at)
  select id, 1, 'only', state::text::step_state, 3, 1, 1, 1, 300, gen_random_uuid(), 'worker', created_at, ended_at, started_at, ended_at from bench_chunk`;

const audit = (moves: string) => `
  insert into workflow_transition_audit
    (workflow_id, step_no, version, step, previous_state, new_state, cause_id, actor, attempt, epoch, dispatch_no, transitioned_at, created_at)
  select r.id, m.step_no, m.version, case when m.step_no > 0 then 'only' end, m.leaves, coalesce(m.enters, r.state::text), gen_random_uuid(), 'scheduler',
         case when m.step_no > 0 then 1 end, case when m.step_no > 0 then 1 end, case when m.step_no > 0 then 1 end, r.changed_at, r.changed_at
    from bench_chunk r cross join (values ${moves}) as m (place, step_no, version, leaves, enters) order by r.id, m.place`;

const AUDIT_FULL = audit(`(1, 0, 1, null, 'CREATED'), (2, 0, 2, 'CREATED', 'RUNNING'), (3, 1, 1, 'PENDING', 'DISPATCHED'),
  (4, 1, 2, 'DISPATCHED', 'RUNNING'), (5, 1, 3, 'RUNNING', null), (6, 0, 3, 'RUNNING', null)`);
const AUDIT_THIN = audit(`(1, 0, 3, 'RUNNING', null)`);
