import type { DataSource, EntityManager } from 'typeorm';
import { DomainError, type Json, type Plan } from '#core';
import { WorkflowEntity } from './entities/workflow.entity.ts';
import { isSqlState } from './roles.ts';
import { Where } from './where.ts';

/** A compiled definition as it is published. */
export interface NewVersion {
  readonly name: string;
  readonly environment: string | null;
  readonly team: string | null;
  readonly category: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly checksum: string;
  readonly definition: Json;
  readonly plan: Plan;
  readonly source: string;
  readonly actor: string;
}

/**
 * `created`: the workflow is new. `new_version`: its next version. `restored`: an older version has this content and is current again.
 * `unchanged`: the current version has it.
 */
export interface Published {
  readonly outcome: 'created' | 'new_version' | 'restored' | 'unchanged';
  readonly version: number;
  /** Null for a dry run of a new workflow. */
  readonly workflow: WorkflowEntity | null;
}

export interface WorkflowFilter {
  readonly name?: string | undefined;
  readonly environment?: string | undefined;
  readonly team?: string | undefined;
  readonly category?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface WorkflowChange {
  readonly enabled?: boolean | undefined;
  readonly category?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly environment?: string | null | undefined;
  readonly team?: string | null | undefined;
}

export interface VersionSummaryRow {
  readonly workflowId: string;
  readonly version: number;
  readonly checksum: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface WorkflowVersionRow<Definition = Json> extends VersionSummaryRow {
  readonly definition: Definition;
  readonly plan: Plan;
  readonly source: string;
}

/** Workflows and their frozen versions. */
export class WorkflowStore {
  constructor(private readonly database: DataSource) {}

  /** By id; `after` is the last id of the page before. */
  list(filter: WorkflowFilter, after: string | null, limit: number): Promise<WorkflowEntity[]> {
    const where = new Where()
      .add('id > ?::uuid', after)
      .add('name = ?', filter.name)
      .add('environment = ?', filter.environment)
      .add('team = ?', filter.team)
      .add('category = ?', filter.category)
      .add('enabled = ?', filter.enabled)
      .add('labels @> ?::jsonb', filter.labels && JSON.stringify(filter.labels));
    return this.database.query<WorkflowEntity[]>(
      `select id, name, environment, team, enabled, category, labels, current_version as "currentVersion", created_by_id as "createdBy",
              created_at as "createdAt", updated_at as "updatedAt" from workflows ${where.sql} order by id limit ${where.bind(limit)}`,
      where.values,
    );
  }

  find(id: string): Promise<WorkflowEntity | null> {
    return this.database.manager.findOneBy(WorkflowEntity, { id });
  }

  /** `Definition`: what the caller knows definitions to be; they were checked before they were written. */
  async findVersion<Definition = Json>(workflowId: string, version: number): Promise<WorkflowVersionRow<Definition> | undefined> {
    const [row] = await this.database.query<WorkflowVersionRow<Definition>[]>(
      `select workflow_id as "workflowId", version, checksum, definition, plan, source, created_by as "createdBy", created_at as "createdAt"
         from workflow_versions where workflow_id = $1 and version = $2`,
      [workflowId, version],
    );
    return row;
  }

  /** Newest first, without the texts; `before` is the last version of the page before. */
  listVersions(workflowId: string, before: number | null, limit: number): Promise<VersionSummaryRow[]> {
    const where = new Where().add('workflow_id = ?::uuid', workflowId).add('version < ?', before);
    return this.database.query(
      `select workflow_id as "workflowId", version, checksum, created_by as "createdBy", created_at as "createdAt"
         from workflow_versions ${where.sql} order by version desc limit ${where.bind(limit)}`,
      where.values,
    );
  }

  /**
   * Makes the workflow of this environment, team and name, or its next version, unless its current version has the same checksum. Of
   * several callers with the same text one writes. Throws `environment.unknown` and `team.unknown`.
   */
  publish(next: NewVersion, { dryRun }: { dryRun: boolean }): Promise<Published> {
    return this.database.transaction(async (tx) => {
      await assertScope(tx, next.environment, next.team);
      return dryRun ? await compare(tx, next, await findNamed(tx, next)) : await write(tx, next);
    });
  }

  /** Throws `environment.unknown`, `team.unknown`, and `workflow.name_taken` when the new environment and team have one of that name. */
  async change(id: string, change: WorkflowChange): Promise<WorkflowEntity | null> {
    return this.database.transaction(async (tx) => {
      await assertScope(tx, change.environment ?? null, change.team ?? null);
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      try {
        await tx.update(WorkflowEntity, { id }, { ...given, updatedAt: () => 'now()' });
      } catch (error) {
        if (isSqlState(error, '23505')) throw nameTaken(id);
        throw error;
      }
      return tx.findOneBy(WorkflowEntity, { id });
    });
  }
}

type Known = { id: string; currentVersion: number; workflow: WorkflowEntity };

async function write(tx: EntityManager, next: NewVersion): Promise<Published> {
  await tx.query(
    `insert into workflows (name, environment, team, category, labels, created_by_id) values ($1, $2, $3, $4, $5, $6)
     on conflict (environment, team, name) do nothing`,
    [next.name, next.environment, next.team, next.category, JSON.stringify(next.labels), next.actor],
  );
  // Publishers of one workflow take turns from here: the next version number is decided under this lock.
  const known = await findNamed(tx, next, 'for no key update');
  const published = await compare(tx, next, known);
  if (!known || published.outcome === 'unchanged') return published;
  if (published.outcome !== 'restored') {
    await tx.query(
      `insert into workflow_versions (workflow_id, version, checksum, definition, plan, source, created_by) values ($1, $2, $3, $4, $5, $6, $7)`,
      [known.id, published.version, next.checksum, JSON.stringify(next.definition), JSON.stringify(next.plan), next.source, next.actor],
    );
  }
  await tx.update(
    WorkflowEntity,
    { id: known.id },
    { currentVersion: published.version, category: next.category, labels: next.labels, updatedAt: () => 'now()' },
  );
  return { ...published, workflow: await tx.findOneBy(WorkflowEntity, { id: known.id }) };
}

async function findNamed(tx: EntityManager, { name, environment, team }: NewVersion, lock = ''): Promise<Known | null> {
  const [row] = await tx.query<{ id: string }[]>(
    `select id from workflows where name = $1 and environment is not distinct from $2 and team is not distinct from $3 ${lock}`,
    [name, environment, team],
  );
  const workflow = row && (await tx.findOneBy(WorkflowEntity, { id: row.id }));
  return workflow ? { id: workflow.id, currentVersion: workflow.currentVersion, workflow } : null;
}

async function compare(tx: EntityManager, next: NewVersion, known: Known | null): Promise<Published> {
  if (!known) return { outcome: 'created', version: 1, workflow: null };
  const { workflow, currentVersion } = known;
  if (currentVersion === 0) return { outcome: 'created', version: 1, workflow };
  const [same] = await tx.query<{ version: number; newest: number }[]>(
    `select max(version) filter (where checksum = $2) as version, max(version) as newest from workflow_versions where workflow_id = $1`,
    [workflow.id, next.checksum],
  );
  if (same?.version === currentVersion) return { outcome: 'unchanged', version: currentVersion, workflow };
  if (same?.version) return { outcome: 'restored', version: same.version, workflow };
  return { outcome: 'new_version', version: (same?.newest ?? currentVersion) + 1, workflow };
}

async function assertScope(tx: EntityManager, environment: string | null, team: string | null): Promise<void> {
  const [known] = await tx.query<{ environment: boolean; team: boolean; environments: string[] }[]>(
    `select $1::text is null or exists (select from environments where name = $1) as environment,
            $2::text is null or exists (select from teams where name = $2) as team,
            array(select name from environments order by name limit 50) as environments`,
    [environment, team],
  );
  if (!known?.environment) {
    const names = known?.environments.join(', ') ?? '';
    throw new DomainError(
      'environment.unknown',
      `There is no environment "${environment}".`,
      { environment },
      `Use one of ${names}, or add it to flowforge.yaml.`,
    );
  }
  if (!known.team) {
    throw new DomainError(
      'team.unknown',
      `There is no team "${team}".`,
      { team },
      'Add it to `teams` in flowforge.yaml and restart, or leave the team out.',
    );
  }
}

function nameTaken(id: string): DomainError {
  return new DomainError(
    'workflow.name_taken',
    'The environment and team have a workflow of that name already.',
    { workflowId: id },
    'Rename one of the two, or choose another environment or team.',
  );
}
