import type { DataSource } from 'typeorm';
import { DomainError } from '#core';
import type { DeploymentConfig, TenancyConfig } from './deployments-types.ts';
import { DeploymentEntity } from './entities/deployment.entity.ts';
import { isSqlState } from './roles.ts';
import { Where } from './where.ts';

/**
 * Writes environments, teams, pools and deployments as configured. Safe to call again, by several at once: what is there and equal stays,
 * what is configured differently is changed, what is not configured is left alone. Throws `deployment.id_changed` when a deployment of this
 * environment and team exists under another ID: runs refer to it, so an ID stays for ever.
 */
export async function seedDeployments(database: DataSource, config: TenancyConfig): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('insert into environments (name) select unnest($1::text[]) order by 1 on conflict do nothing', [config.environments]);
    await tx.query(
      `insert into teams as t (name, concurrency_limit, weight) select * from unnest($1::text[], $2::int[], $3::int[]) order by 1
       on conflict (name) do update set concurrency_limit = excluded.concurrency_limit, weight = excluded.weight
        where (t.concurrency_limit, t.weight) is distinct from (excluded.concurrency_limit, excluded.weight)`,
      [config.teams.map((team) => team.name), config.teams.map((team) => team.concurrencyLimit), config.teams.map((team) => team.weight)],
    );
    await tx.query(
      `insert into work_pools as p (name, purpose) select * from unnest($1::text[], $2::text[]) order by 1
       on conflict (name) do update set purpose = excluded.purpose where p.purpose <> excluded.purpose`,
      [config.pools.map((pool) => pool.name), config.pools.map((pool) => pool.purpose)],
    );
    const columns = [
      config.deployments.map((deployment) => deployment.id),
      config.deployments.map((deployment) => deployment.name),
      config.deployments.map((deployment) => deployment.pool),
      config.deployments.map((deployment) => deployment.environment),
      config.deployments.map((deployment) => deployment.team),
      config.deployments.map((deployment) => deployment.namespace),
      config.deployments.map((deployment) => deployment.concurrencyLimit),
    ];
    await tx.query(SEED_DEPLOYMENTS, columns).catch((error: unknown) => Promise.reject(seedingError(error)));
    const rows = await tx.query<DeploymentConfig[]>('select id, name, environment, team from deployments');
    for (const configured of config.deployments) refuseOtherId(configured, rows);
  });
}

const SEED_DEPLOYMENTS = `
  insert into deployments as d (id, name, pool, environment, team, namespace, concurrency_limit)
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[]) order by 1
  on conflict (environment, team) do update
     set name = excluded.name, pool = excluded.pool, namespace = excluded.namespace, concurrency_limit = excluded.concurrency_limit
   where (d.name, d.pool, d.namespace, d.concurrency_limit) is distinct from (excluded.name, excluded.pool, excluded.namespace, excluded.concurrency_limit)`;

/** Deployments as rows. */
export class DeploymentStore {
  constructor(private readonly database: DataSource) {}

  /** All of them: the resolver's table. Their number is bounded by environments × teams. */
  all(): Promise<DeploymentEntity[]> {
    return this.database.manager.find(DeploymentEntity);
  }

  list(
    filter: { environment?: string | undefined; team?: string | undefined },
    after: string | null,
    limit: number,
  ): Promise<DeploymentEntity[]> {
    const where = new Where().add('id > ?::uuid', after).add('environment = ?', filter.environment).add('team = ?', filter.team);
    return this.database.query<DeploymentEntity[]>(
      `select id, name, pool, environment, team, namespace, concurrency_limit as "concurrencyLimit" from deployments ${where.sql} order by id limit ${where.bind(limit)}`,
      where.values,
    );
  }
}

function refuseOtherId(configured: DeploymentConfig, rows: readonly DeploymentConfig[]): void {
  const row = rows.find(({ environment, team }) => environment === configured.environment && team === configured.team);
  if (row?.id === configured.id) return;
  throw new DomainError(
    'deployment.id_changed',
    `The deployment ${configured.name} is configured as ${configured.id}, but exists as ${row?.id ?? 'nothing'}.`,
    { name: configured.name, configured: configured.id, existing: row?.id ?? null },
    'Configure the ID that exists: runs refer to it, so it stays.',
  );
}

function seedingError(error: unknown): unknown {
  if (!isSqlState(error, '23505')) return error;
  return new DomainError(
    'deployment.duplicate',
    'Two deployments are configured with the same ID or the same name.',
    { reason: error instanceof Error ? error.message : '' },
    'Give each deployment an ID and a name of its own.',
  );
}
