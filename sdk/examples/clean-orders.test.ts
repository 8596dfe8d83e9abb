import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { testStep } from '#sdk';
import { cleanOrders } from './clean-orders.ts';

describe('the example of docs/sdk.md', () => {
  it('runs', async () => {
    const rows = [{ id: 'a', amount: '12.5', currency: 'EUR' }, { id: 'b' }, { id: 'c', amount: 1, currency: 'USD' }];

    const { output, log } = await testStep(cleanOrders, { rows });

    expect(output).toMatchObject({ dropped: 2, total: 12.5 });
    expect(log).toEqual([{ level: 'info', text: 'cleaned', data: { kept: 1, of: 3 } }]);
  });

  it('fails for good without orders', async () => {
    await expect(testStep(cleanOrders, { rows: [] })).rejects.toMatchObject({ code: 'orders.none', retryable: false });
  });

  it('stands in the documentation as it is compiled here', () => {
    const docs = readFileSync(new URL('../../docs/sdk.md', import.meta.url), 'utf8');
    const code = readFileSync(new URL('clean-orders.ts', import.meta.url), 'utf8').replace("'#sdk'", "'@flowforge/sdk'");

    expect(docs).toContain(`\`\`\`ts\n${code}\`\`\``);
  });
});
