import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { GroupLane, type Outcome } from './group-lane.ts';

/** A lane whose groups end when the test says so. */
function heldLane(options: Partial<{ groupMax: number; pendingMax: number; lanes: number }> = {}) {
  const groups: { items: readonly number[]; end: (outcomes: readonly Outcome<string>[]) => void; fail: (error: Error) => void }[] = [];
  const lane = new GroupLane<number, string>((items) => new Promise((end, fail) => groups.push({ items, end, fail })), {
    groupMax: 500,
    pendingMax: 1_000,
    lanes: 1,
    ...options,
  });
  return { lane, groups };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const answers = (items: readonly number[]) => items.map((item) => ({ answer: `#${item}` }));

describe('GroupLane', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('sends everything that arrived while the last group was under way as one group', async () => {
    const { lane, groups } = heldLane();
    const first = lane.submit(1);
    await turn();
    const others = [2, 3, 4].map((item) => lane.submit(item));
    await turn();
    expect(groups.map(({ items }) => items)).toEqual([[1]]);
    groups[0]?.end(answers([1]));
    await first;
    expect(groups[1]?.items).toEqual([2, 3, 4]);
    groups[1]?.end(answers([2, 3, 4]));
    expect(await Promise.all(others)).toEqual(['#2', '#3', '#4']);
  });

  it('gives each item of a group its own outcome', async () => {
    const { lane, groups } = heldLane();
    const both = Promise.allSettled([lane.submit(1), lane.submit(2)]);
    await turn();
    groups[0]?.end([{ answer: 'good' }, { error: new Error('bad') }]);
    expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('rejects every item of a group that failed, and goes on with the next', async () => {
    const { lane, groups } = heldLane();
    const failed = Promise.allSettled([lane.submit(1), lane.submit(2)]);
    await turn();
    groups[0]?.fail(new Error('lost'));
    expect((await failed).every(({ status }) => status === 'rejected')).toBe(true);
    const next = lane.submit(3);
    await turn();
    groups[1]?.end(answers([3]));
    expect(await next).toBe('#3');
  });

  it('cuts groups at groupMax, and full ones go by as many lanes as there are', async () => {
    const { lane, groups } = heldLane({ groupMax: 2, lanes: 2 });
    const all = [1, 2, 3, 4, 5, 6].map((item) => lane.submit(item));
    await turn();
    expect(groups.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    groups[1]?.end(answers([3, 4]));
    await all[3];
    expect(groups[2]?.items).toEqual([5, 6]);
    groups[0]?.end(answers([1, 2]));
    groups[2]?.end(answers([5, 6]));
    expect(await Promise.all(all)).toHaveLength(6);
  });

  it('lets a group that is not full wait for those under way, until it is full', async () => {
    const { lane, groups } = heldLane({ groupMax: 2, lanes: 2 });
    const first = lane.submit(1);
    await turn();
    const second = lane.submit(2);
    await turn();
    expect(groups).toHaveLength(1);
    const third = lane.submit(3);
    await turn();
    expect(groups[1]?.items).toEqual([2, 3]);
    const fourth = lane.submit(4);
    groups[0]?.end(answers([1]));
    groups[1]?.end(answers([2, 3]));
    await Promise.all([first, second, third]);
    expect(groups[2]?.items).toEqual([4]);
    groups[2]?.end(answers([4]));
    expect(await fourth).toBe('#4');
  });

  it('goes by a free lane past a group that hangs', async () => {
    const { lane, groups } = heldLane({ lanes: 2 });
    const hanging = lane.submit(1);
    await turn();
    const now = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(now + 10_000);
    const next = lane.submit(2);
    await turn();
    expect(groups.map(({ items }) => items)).toEqual([[1], [2]]);
    groups[1]?.end(answers([2]));
    groups[0]?.end(answers([1]));
    expect(await Promise.all([hanging, next])).toEqual(['#1', '#2']);
  });

  it('refuses more than pendingMax with api.busy, and takes items again afterwards', async () => {
    const { lane, groups } = heldLane({ pendingMax: 2 });
    const taken = [lane.submit(1), lane.submit(2)];
    await expect(lane.submit(3)).rejects.toMatchObject({ code: 'api.busy', kind: 'outage' });
    await turn();
    groups[0]?.end(answers([1, 2]));
    await Promise.all(taken);
    const next = lane.submit(4);
    await turn();
    groups[1]?.end(answers([4]));
    expect(await next).toBe('#4');
  });
});
