import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';
import { NestLogger } from './nest-logger.ts';

async function capture() {
  const written: string[] = [];
  const logger = await createLogger({ service: 'api', level: 'debug', destination: { write: (line) => void written.push(line) } });
  return { logger, lines: () => written.map((line): Record<string, unknown> => JSON.parse(line)), raw: () => written.join('') };
}

describe('the logger', () => {
  it('writes one JSON object a line with level, service and time in words', async () => {
    const { logger, lines } = await capture();
    logger.info({ runId: 'r1' }, 'Run admitted');
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        service: 'api',
        runId: 'r1',
        msg: 'Run admitted',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
      }),
    ]);
  });

  it('lets no secret out, through fields, child bindings, messages, errors and their causes', async () => {
    const { logger, raw } = await capture();
    const cause = new Error('redis://:s3cr3t@redis refused');
    logger.child({ headers: { authorization: 's3cr3t' } }).info({ body: { apiKey: 's3cr3t' } }, 'GET /?token=s3cr3t');
    logger.error({ err: new Error('postgresql://u:s3cr3t@db failed', { cause }) }, 'Outage');
    logger.warn({ config: { DATABASE_URL: 'postgresql://u:s3cr3t@db/x' } }, 'Bearer s3cr3ts3cr3t');
    expect(raw().split('\n')).toHaveLength(4);
    expect(raw()).not.toContain('s3cr3t');
  });

  it('takes what Nest says, with its context, how it puts itself together as debug', async () => {
    const { logger, lines } = await capture();
    const nest = new NestLogger(logger);
    nest.log('Dependencies initialized', 'InstanceLoader');
    nest.log('Orders are open', 'OrderService');
    nest.error('It broke', 'Error: It broke\n  at x', 'ExceptionsHandler');
    nest.error(new Error('as an object'));
    expect(lines()).toEqual([
      expect.objectContaining({ level: 'debug', msg: 'Dependencies initialized', context: 'InstanceLoader' }),
      expect.objectContaining({ level: 'info', msg: 'Orders are open', context: 'OrderService' }),
      expect.objectContaining({ level: 'error', msg: 'It broke', context: 'ExceptionsHandler', stack: expect.stringContaining('at x') }),
      expect.objectContaining({ level: 'error', msg: 'as an object', err: expect.objectContaining({ message: 'as an object' }) }),
    ]);
  });
});
