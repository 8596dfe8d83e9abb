import { describe, expect, it } from '@jest/globals';
import { flamePicture, framesOf, type CpuProfile } from './flame.ts';

const frame = (id: number, functionName: string, url = '', children: number[] = []) => ({ id, callFrame: { functionName, url }, children });
const profile: CpuProfile = {
  nodes: [
    frame(1, '(root)', '', [2, 3, 4, 5]),
    frame(2, 'decide', 'file:///x/libs/core/src/decide.ts', [6]),
    frame(3, '(idle)'),
    frame(4, 'decide', 'file:///x/libs/core/src/decide.ts'),
    frame(5, 'query', 'file:///x/node_modules/pg/lib/client.js'),
    frame(6, 'move', 'file:///x/libs/core/src/move.ts'),
  ],
  samples: [2, 6, 3, 4, 5],
  timeDeltas: [100, 200, 5_000, 300, 400],
};

describe('a flame graph', () => {
  it('adds up what was seen of a function under the same caller, and leaves out the idle time', () => {
    const root = framesOf(profile);
    expect(root.us).toBe(1_000);
    expect([...root.callees].map(([name, { us }]) => [name, us])).toEqual([
      ['decide libs/core/src/decide.ts', 600],
      ['query pg', 400],
    ]);
    expect(root.callees.get('decide libs/core/src/decide.ts')?.callees.get('move libs/core/src/move.ts')?.us).toBe(200);
  });

  it('draws widths by time', () => {
    const picture = flamePicture('api', framesOf(profile));
    expect(picture).toContain('<title>decide libs/core/src/decide.ts: 60.0 %</title><rect x="0.0" y="66" width="720.0"');
    expect(picture).toContain('<title>query pg: 40.0 %</title><rect x="720.0" y="66" width="480.0"');
  });
});
