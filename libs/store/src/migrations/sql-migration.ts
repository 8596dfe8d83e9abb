import { readFileSync } from 'node:fs';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A migration whose two directions are SQL files beside this one: `<file>.up.sql` and `<file>.down.sql`. */
abstract class SqlMigration implements MigrationInterface {
  abstract readonly name: string;
  protected abstract readonly file: string;
  /** What is told when the migration was applied. */
  readonly achievements: readonly string[] = [];

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(sqlOf(`${this.file}.up.sql`));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(sqlOf(`${this.file}.down.sql`));
  }
}

function sqlOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}

class Graph extends SqlMigration {
  readonly name = 'Graph1763700000001';
  protected readonly file = '0001-graph';
}

class Tenancy extends SqlMigration {
  readonly name = 'Tenancy1763700000002';
  protected readonly file = '0002-tenancy';
}

class Workflows extends SqlMigration {
  readonly name = 'Workflows1763700000003';
  protected readonly file = '0003-workflows';
}

class Runs extends SqlMigration {
  readonly name = 'Runs1763700000004';
  protected readonly file = '0004-runs';
}

class Audit extends SqlMigration {
  readonly name = 'Audit1763700000005';
  protected readonly file = '0005-audit';
}

class EnvironmentAndTeam extends SqlMigration {
  readonly name = 'EnvironmentAndTeam1763700000006';
  protected readonly file = '0006-environment-and-team';
  override readonly achievements = ['Added environment column to workflows', 'Renamed business_unit to team in workflows'];
}

class Views extends SqlMigration {
  readonly name = 'Views1763700000007';
  protected readonly file = '0007-views';
}

class Grants extends SqlMigration {
  readonly name = 'Grants1763700000008';
  protected readonly file = '0008-grants';
}

class KeyRetention extends SqlMigration {
  readonly name = 'KeyRetention1763700000009';
  protected readonly file = '0009-key-retention';
}

class EpochByTimeline extends SqlMigration {
  readonly name = 'EpochByTimeline1763700000010';
  protected readonly file = '0010-epoch-by-timeline';
}

class StepsBegun extends SqlMigration {
  readonly name = 'StepsBegun1763700000011';
  protected readonly file = '0011-steps-begun';
}

class EndedRuns extends SqlMigration {
  readonly name = 'EndedRuns1763700000012';
  protected readonly file = '0012-ended-runs';
}

class WholeDecisions extends SqlMigration {
  readonly name = 'WholeDecisions1763700000013';
  protected readonly file = '0013-whole-decisions';
}

class EndedByPlace extends SqlMigration {
  readonly name = 'EndedByPlace1763700000014';
  protected readonly file = '0014-ended-by-place';
}

class ListsByAnyFilter extends SqlMigration {
  readonly name = 'ListsByAnyFilter1763700000015';
  protected readonly file = '0015-lists-by-any-filter';
}

/** All migrations in their order. The number is the place in this list: EnvironmentAndTeam is migration 6. */
export const MIGRATIONS = [
  Graph,
  Tenancy,
  Workflows,
  Runs,
  Audit,
  EnvironmentAndTeam,
  Views,
  Grants,
  KeyRetention,
  EpochByTimeline,
  StepsBegun,
  EndedRuns,
  WholeDecisions,
  EndedByPlace,
  ListsByAnyFilter,
];

/** What the migrations of these names achieved, for the log. */
export function achievementsOf(names: readonly string[]): string[] {
  return MIGRATIONS.map((Migration) => new Migration())
    .filter((migration) => names.includes(migration.name))
    .flatMap((migration) => migration.achievements);
}
