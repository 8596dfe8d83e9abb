/**
 * Brings a database to the newest schema: `npm run migrate`, or `npm run migrate -- show` to list what is applied. It logs in as the owner
 * (MIGRATION_DATABASE_URL), which no service does, and gives the services' roles their passwords when it is told them.
 */
import { z } from 'zod';
import { DomainError } from '#core';
import { migrate, migrationStatus } from '#store';
import { parseConfig, redactText, setting } from '#telemetry';

const schema = z.object({
  NODE_ENV: setting.nodeEnv(),
  MIGRATION_DATABASE_URL: setting
    .url('postgresql', 'postgres')
    .describe("the address of PostgreSQL with the login of the database's owner")
    .meta({ example: 'postgresql://owner:password@host/flowforge' }),
  FLOWFORGE_API_PASSWORD: setting.secret().optional().describe('the password to give to the role flowforge_api'),
  FLOWFORGE_SCHEDULER_PASSWORD: setting.secret().optional().describe('the password to give to the role flowforge_scheduler'),
});

try {
  const config = parseConfig(schema);
  if (process.argv[2] === 'show') await show(config.MIGRATION_DATABASE_URL);
  else await bringUp(config);
} catch (error) {
  // Our own errors hold no secret, and their examples would be blanked; the driver's may quote a connection string.
  const said = error instanceof DomainError ? [error.message, error.remedy ?? ''].join('\n') : redactText(String(error));
  process.stderr.write(`${said.trim()}\n`);
  process.exitCode = 1;
}

async function bringUp(config: z.output<typeof schema>): Promise<void> {
  const { FLOWFORGE_API_PASSWORD: api, FLOWFORGE_SCHEDULER_PASSWORD: scheduler } = config;
  const passwords = api && scheduler ? { api, scheduler } : null;
  const applied = await migrate({ url: config.MIGRATION_DATABASE_URL, passwords, log: say });
  say(applied.length > 0 ? `${applied.length} migrations applied.` : 'The schema is up to date.');
}

async function show(url: string): Promise<void> {
  for (const { number, name, applied } of await migrationStatus(url)) say(`${applied ? '✓' : '·'} ${number} ${name}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
