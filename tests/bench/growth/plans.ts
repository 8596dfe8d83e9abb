import type pg from 'pg';
import { HOT_SETTINGS } from '../../../libs/store/src/hot-connection.ts';
import { withClient, type FlowForgeDatabase } from '../servers.ts';
import { faultsOf, scansOf, type PlanNode } from './plan-tree.ts';

/** Tables whose sequential scans are counted; in the queue, the bench itself looks. */
const COUNTED = `(relname in ('workflow_runs', 'run_inputs', 'step_runs', 'step_outputs', 'idempotency_keys') or relname ~ '^workflow_(transition_audit|run_logs)_')`;
const QUERY_SHOWN = 110;

/** A statement that the services sent, with the plan that it has whatever its parameters are. */
export interface KnownPlan {
  readonly role: string;
  readonly query: string;
  readonly calls: number;
  readonly meanMs: number;
  readonly scans: readonly string[];
  readonly faults: readonly string[];
  readonly plan: PlanNode | null;
}

/** How often a table was walked from end to end so far, by anybody, and vacuumed. */
export interface Walks {
  readonly scans: number;
  readonly vacuums: number;
}

export async function countScans(client: pg.Client): Promise<Map<string, Walks>> {
  await client.query('select pg_stat_force_next_flush()');
  const { rows } = await client.query<{ table: string; scans: string; vacuums: string }>(
    `select relname as table, seq_scan as scans, vacuum_count + autovacuum_count as vacuums from pg_stat_user_tables where ${COUNTED}`,
  );
  return new Map(rows.map(({ table, scans, vacuums }) => [table, { scans: Number(scans), vacuums: Number(vacuums) }]));
}

/**
 * Which tables were walked between two counts. Not those that were vacuumed meanwhile: a vacuum sums up the new ranges of a BRIN index, and each of
 * them counts as a scan.
 */
export function scannedBetween(before: ReadonlyMap<string, Walks>, after: ReadonlyMap<string, Walks>): string[] {
  return [...after].flatMap(([table, { scans, vacuums }]) => {
    const known = before.get(table) ?? { scans: 0, vacuums: 0 };
    return scans > known.scans && vacuums === known.vacuums ? [`${table} was scanned ${scans - known.scans} times`] : [];
  });
}

export async function forgetStatements(database: FlowForgeDatabase): Promise<void> {
  await withClient(database.superuserUrl, async (client) => {
    await client.query('create extension if not exists pg_stat_statements');
    await client.query('select pg_stat_statements_reset()');
  });
}

/** Explains every statement that api and scheduler sent since then, by its generic plan and with the settings of the connection that sends it. */
export async function explainStatements(database: FlowForgeDatabase): Promise<KnownPlan[]> {
  const sent = await withClient(database.superuserUrl, sentStatements);
  return await withClient(database.superuserUrl, (plain) =>
    withClient(`${database.superuserUrl}?options=${encodeURIComponent(HOT_SETTINGS)}`, async (hot) => {
      const plans: KnownPlan[] = [];
      for (const statement of sent) plans.push(await explain(statement, plain, hot));
      return plans;
    }),
  );
}

interface SentStatement {
  readonly role: string;
  readonly query: string;
  readonly calls: string;
  readonly ms: number;
}

async function sentStatements(client: pg.Client): Promise<SentStatement[]> {
  const { rows } = await client.query<SentStatement>(`
    select r.rolname as role, s.query, s.calls, s.mean_exec_time as ms
      from pg_stat_statements s join pg_database d on d.oid = s.dbid join pg_roles r on r.oid = s.userid
     where d.datname = current_database() and s.toplevel and r.rolname in ('flowforge_api', 'flowforge_scheduler')
       and s.query ~* '^\\s*\\(?(with|select|insert|update|delete)' order by s.total_exec_time desc`);
  return rows;
}

/**
 * Explains by the settings of a plain connection, then, where that shows a fault, by those of a hot one: a statement is not told which of the
 * two sent it. Had it been the wrong one, the counters of the tables would tell.
 */
async function explain({ role, query, calls, ms }: SentStatement, plain: pg.Client, hot: pg.Client): Promise<KnownPlan> {
  const known = { role, query: query.replaceAll(/\s+/g, ' ').slice(0, QUERY_SHOWN), calls: Number(calls), meanMs: ms };
  const first = await genericPlan(plain, query);
  const plan = first && faultsOf(first).length > 0 ? await genericPlan(hot, query) : first;
  if (!plan) return { ...known, scans: [], faults: [], plan: null };
  return { ...known, scans: scansOf(plan), faults: faultsOf(plan), plan };
}

/** Null when the normalised text cannot be explained: where a constant was no parameter. */
async function genericPlan(client: pg.Client, query: string): Promise<PlanNode | null> {
  try {
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(`explain (generic_plan, format json) ${query}`);
    return rows[0]?.['QUERY PLAN'][0]?.Plan ?? null;
  } catch {
    return null;
  }
}
