import { expect, it } from '@jest/globals';
import { evaluateReadiness } from './readiness.ts';

it('does not wait for a check that never answers', async () => {
  const result = await evaluateReadiness({ stuck: () => new Promise(() => {}), fine: async () => {} }, 20);
  expect(result).toMatchObject({
    status: 'down',
    checks: { stuck: { status: 'down', detail: 'no answer within 20 ms' }, fine: { status: 'ok' } },
  });
});
