import { describe, expect, it } from '@jest/globals';
import { RunWakeups } from './run-wakeups.ts';

/** A client whose messages are answered by hand, oldest first. */
function given() {
  const published: unknown[] = [];
  const open: PromiseWithResolvers<void>[] = [];
  const announce = (channel: string, message: object) => {
    published.push({ channel, ...message });
    const answer = Promise.withResolvers<void>();
    open.push(answer);
    return answer.promise;
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const answer = async (how: 'resolve' | 'reject' = 'resolve') => {
    for (const one of open.splice(0)) one[how]();
    await turn();
  };
  return { wakeups: new RunWakeups({ announce }), published, answer };
}

describe('wake-ups', () => {
  it('go at once when none is under way, and one at a time with all that came meanwhile', async () => {
    const { wakeups, published, answer } = given();
    wakeups.submitted(3);
    expect(published).toEqual([{ channel: 'runs.submitted', count: 3 }]);
    wakeups.submitted(2);
    wakeups.moved('a-run');
    wakeups.submitted(4);
    expect(published).toHaveLength(1);
    await answer();
    expect(published.slice(1)).toEqual([
      { channel: 'runs.submitted', count: 7 },
      { channel: 'runs.changed', runs: ['a-run'] },
    ]);
    await answer();
    expect(published).toHaveLength(3);
  });

  it('go on after one that was lost', async () => {
    const { wakeups, published, answer } = given();
    wakeups.submitted(1);
    wakeups.submitted(1);
    await answer('reject');
    expect(published).toHaveLength(2);
    await answer();
    wakeups.submitted(1);
    expect(published).toHaveLength(3);
  });
});
