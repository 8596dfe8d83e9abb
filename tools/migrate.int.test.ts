import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, cloneDatabase, startProcess } from '#testing';

describe('npm run migrate', () => {
  let database: TestDatabase;
  const migrate = async (env: Record<string, string>, ...args: string[]) => {
    const { ended, lines } = await startProcess({ main: 'tools/migrate.ts', args, env });
    return { code: (await ended).code, said: lines.join('\n') };
  };

  beforeAll(async () => {
    database = await cloneDatabase();
  });
  afterAll(() => database.drop());

  it('finds nothing to do on a migrated database, and lists what is applied', async () => {
    const env = { MIGRATION_DATABASE_URL: database.ownerUrl };
    expect(await migrate(env)).toEqual({ code: 0, said: 'The schema is up to date.' });
    expect((await migrate(env, 'show')).said).toMatch(/^✓ 1 \w+/);
  });

  it('names what is missing in its configuration', async () => {
    expect(await migrate({})).toMatchObject({ code: 1, said: expect.stringContaining('MIGRATION_DATABASE_URL: is not set') });
  });

  it('refuses a password of the development setup in production, without repeating it', async () => {
    const { code, said } = await migrate({
      NODE_ENV: 'production',
      MIGRATION_DATABASE_URL: 'postgresql://flowforge:devpassword@127.0.0.1:1/flowforge',
    });
    expect(code).toBe(1);
    expect(said).toContain('MIGRATION_DATABASE_URL');
    expect(said).not.toContain('devpassword');
  });

  it('says that the server is away without showing the password', async () => {
    const { code, said } = await migrate({ MIGRATION_DATABASE_URL: 'postgresql://owner:s3cr3t@127.0.0.1:1/flowforge' });
    expect(code).toBe(1);
    expect(said).toContain('ECONNREFUSED');
    expect(said).not.toContain('s3cr3t');
  });
});
