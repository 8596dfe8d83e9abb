import { afterEach, describe, expect, it } from '@jest/globals';
import { handlersModule } from '../testing/worker-under-test.ts';
import { StepPools } from './step-pools.ts';

describe('step processes that several workers share', () => {
  let pools: StepPools | undefined;
  const open = (...handlers: string[]) => (pools = new StepPools({ handlers, handlersFolder: process.cwd(), privateAddresses: 'deny' }));
  afterEach(() => pools?.close());

  it('tell all of them their handlers from one process, which the first step then takes', async () => {
    const shared = open(handlersModule);
    const { own } = shared;

    const told = await Promise.all([shared.handlers(), shared.handlers(), shared.handlers()]);

    expect(new Set(told).size).toBe(1);
    expect(told[0]?.map(({ name }) => name)).toContain('test/tell');
    expect(own.size).toBe(1);
    expect(own.take().alive).toBe(true);
    expect(own.size).toBe(1);
  });

  it('start none where there is no handler', async () => {
    const none = open();

    expect(await none.handlers()).toEqual([]);
    expect([none.own.size, none.connectors.size]).toEqual([0, 0]);
  });
});
