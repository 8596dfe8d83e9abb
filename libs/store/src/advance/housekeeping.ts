import type { HotConnection } from '../hot-connection.ts';
import { statement, type Statement } from '../statement.ts';

const LEASES_TAKE = statement('leases_take');
const LEASE_RELEASE: Statement = {
  name: 'leases_release',
  text: `update leader_leases set expires_at = clock_timestamp() where name = $1 and holder = $2::uuid`,
};
const EPOCH: Statement = { name: 'epoch', text: 'select flowforge_epoch() as epoch' };
const PARTITIONS: Statement = {
  name: 'ensure_partitions',
  text: `select flowforge_ensure_partitions(interval '62 days') as made, flowforge_partition_days() as days`,
};
const IDEMPOTENCY_FORGET = statement('idempotency_forget');
const VERSION: Statement = {
  name: 'workflow_version',
  text: `select v.plan, w.name from workflow_versions v join workflows w on w.id = v.workflow_id where v.workflow_id = $1 and v.version = $2`,
};

/** Takes or renews the lease of a duty that one scheduler does at a time. Returns the term, or null while another holds it. */
export async function takeLease(connection: HotConnection, name: string, holder: string, leaseSeconds: number): Promise<number | null> {
  const [row] = await connection.query<{ term: string }>(LEASES_TAKE, [name, holder, leaseSeconds]);
  return row ? Number(row.term) : null;
}

/** Lets go of a lease, so that another takes over at once. */
export async function releaseLease(connection: HotConnection, name: string, holder: string): Promise<void> {
  await connection.query(LEASE_RELEASE, [name, holder]);
}

/** The database's current epoch; raised first when this is another server or database than before. */
export async function readEpoch(connection: HotConnection): Promise<number> {
  const [row] = await connection.query<{ epoch: number }>(EPOCH, []);
  return row?.epoch ?? 0;
}

/** Makes the partitions of the coming two months. Returns how many it made and for how many days there are partitions now. */
export async function ensurePartitions(connection: HotConnection): Promise<{ made: number; days: number }> {
  const [row] = await connection.query<{ made: number; days: number }>(PARTITIONS, []);
  return row ?? { made: 0, days: 0 };
}

/** Forgets idempotency keys older than this, at most `keysMax`. Returns how many. */
export async function forgetKeys(connection: HotConnection, hours: number, keysMax: number): Promise<number> {
  const [row] = await connection.query<{ gone: number }>(IDEMPOTENCY_FORGET, [hours, keysMax]);
  return row?.gone ?? 0;
}

/** The compiled plan of a version, as stored, with the workflow's name; undefined when there is none. */
export async function findPlan(
  connection: HotConnection,
  workflowId: string,
  version: number,
): Promise<{ plan: unknown; name: string } | undefined> {
  const [row] = await connection.query<{ plan: unknown; name: string }>(VERSION, [workflowId, version]);
  return row;
}
