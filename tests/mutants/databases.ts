import { spawnSync } from 'node:child_process';
import { startTestServers, stopTestServers, type TestServer } from '#testing';
import { fromSources, project, projectNode } from '../../tools/lib/project.mjs';
import { withClient } from '../../libs/testing/src/test-servers.ts';
import type { Mutant } from './mutants.mjs';

/** One PostgreSQL for all runs of the integration and end-to-end suites: to start one for each would take longer than most of them. */
export class Databases {
  private constructor(private readonly server: TestServer) {}

  static async start(): Promise<Databases> {
    const { servers } = await startTestServers({ only: 'embedded 18' });
    const [server] = servers;
    if (!server) throw new Error('The embedded PostgreSQL did not start.');
    return new Databases(server);
  }

  /** What suites are told of the server; for a mutant of the schema, with a template that was migrated with it. Throws when that cannot be migrated. */
  envFor(mutant: Mutant | null): NodeJS.ProcessEnv {
    const template = mutant && isOfSchema(mutant) ? this.templateOf(mutant.name) : this.server.template;
    return { FLOWFORGE_TEST_SERVERS: JSON.stringify({ servers: [{ ...this.server, template }], skipped: [] }) };
  }

  /** Suites that were ended in the middle leave their databases behind. */
  async tidy(): Promise<void> {
    await withClient(this.server.url, async (client) => {
      const { rows } = await client.query<{ datname: string }>(`select datname from pg_database where datname like 'flowforge\\_test\\_%'`);
      for (const { datname } of rows) await client.query(`drop database if exists ${client.escapeIdentifier(datname)} with (force)`);
    });
  }

  async stop(): Promise<void> {
    await stopTestServers();
  }

  private templateOf(name: string): string {
    const { url, rolePassword } = this.server;
    const template = `flowforge_mutant_${name.replaceAll('-', '_')}`;
    const made = spawnSync(projectNode, [...fromSources, 'tests/mutants/make-template.ts', url, template, rolePassword], {
      cwd: project,
      env: { ...process.env, FLOWFORGE_MUTANT: name },
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`The schema of ${name} could not be made: ${made.stderr.trim()}`);
    return template;
  }
}

function isOfSchema(mutant: Mutant): boolean {
  return [mutant, ...(mutant.also ?? [])].some(({ sql }) => sql?.file.includes('/migrations/'));
}
