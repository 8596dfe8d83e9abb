import { describe, expect, it } from '@jest/globals';
import type { FaultRecord } from '../journal.ts';
import { pictureOf } from './picture.ts';

const fault: FaultRecord = {
  ...{ turn: 1, id: 'F08', name: 'redis-kill', targets: 'redis', seed: 1, at: 2_000, inflictedAt: 2_100, healAt: 4_000, healedAt: 5_000 },
  ...{ what: 'killed <Redis>', measures: {}, outcome: 'healed', why: null, redAfterMs: 100, greenAfterMs: 1_000 },
};
const series = Array.from({ length: 10 }, (_, at) => ({ at, ended: at, open: 10 - at }));

describe('the picture of a run', () => {
  it('has a mark for each fault that was inflicted, and what it was, and both curves', () => {
    const svg = pictureOf({ title: 'a & b', from: 0, series, faults: [fault, { ...fault, inflictedAt: null, outcome: 'not_possible' }] });
    expect(svg.match(/<title>killed &lt;Redis&gt;<\/title>/g)).toHaveLength(1);
    expect(svg).toContain('a &amp; b');
    expect(svg).toContain('runs ended per second');
    expect(svg.match(/<polygon/g)).toHaveLength(2);
    expect(svg).not.toContain('NaN');
  });

  it('is drawn for a run without faults and without progress, too', () => {
    const svg = pictureOf({ title: 'empty', from: 0, series: [], faults: [] });
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});
