import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '#transport';
import { readReports } from './report-intake.ts';

const runId = randomUUID();
const report = {
  v: 1,
  kind: 'ended',
  id: randomUUID(),
  runId,
  stepNo: 1,
  epoch: 1,
  dispatchNo: 1,
  session: randomUUID(),
  ranMs: 5,
  outcome: 'succeeded',
};
let places = 0;
const delivery = (body: unknown, stream = 'reports:default'): Delivery => {
  places += 1;
  return { stream, id: `${places}-0`, body: typeof body === 'string' ? body : JSON.stringify(body), deliveries: 1 };
};
const read = (...batch: Delivery[]) =>
  readReports(
    batch,
    (name) => (name === 'default' ? 'id-of-default' : undefined),
    () => 0.25,
  );

describe('readReports', () => {
  it('makes events of reports, in order and by run, under their own causes', () => {
    const started = { ...report, kind: 'started', id: randomUUID(), ranMs: undefined, outcome: undefined };
    const { events, malformed } = read(delivery(started), delivery({ ...report, output: { rows: 3 } }));
    expect(malformed.size).toBe(0);
    expect(events.get(runId)).toEqual([
      {
        kind: 'started',
        causeId: started.id,
        actor: `worker:${report.session}`,
        stepNo: 1,
        token: { epoch: 1, dispatchNo: 1 },
        from: 'id-of-default',
      },
      expect.objectContaining({
        kind: 'ended',
        causeId: report.id,
        outcome: 'succeeded',
        output: { rows: 3 },
        error: null,
        ranMs: 5,
        dice: 0.25,
      }),
    ]);
  });

  it('keeps two deliveries of one report as two events', () => {
    const { events, deliveryOf } = read(delivery(report), delivery(report));
    expect(events.get(runId)).toHaveLength(2);
    expect(new Set([...deliveryOf.values()].map(({ id }) => id)).size).toBe(2);
  });

  it('knows nobody by a stream of no deployment', () => {
    expect(read(delivery(report, 'reports:elsewhere')).events.get(runId)?.[0]).toMatchObject({ from: 'unknown' });
  });

  it.each([
    ['no JSON', '{'],
    ['an empty body', ''],
    ['another kind', { ...report, kind: 'paused' }],
    ['no kind', { ...report, kind: undefined }],
    ['a run id that is none', { ...report, runId: 'run-1' }],
    ['step zero', { ...report, stepNo: 0 }],
    ['half a step', { ...report, stepNo: 1.5 }],
    ['a step as text', { ...report, stepNo: '1' }],
    ['dispatch zero', { ...report, dispatchNo: 0 }],
    ['a negative time', { ...report, ranMs: -1 }],
    ['an unknown outcome', { ...report, outcome: 'fine' }],
    ['a field too many', { ...report, admin: true }],
    ['another version', { ...report, v: 2 }],
    ['a list', [report]],
    ['null', null],
  ])('refuses %s, and takes the report beside it', (_what, body) => {
    const bad = delivery(body);
    const { events, malformed } = read(bad, delivery(report));
    expect([...malformed.keys()]).toEqual([bad.id]);
    expect(malformed.get(bad.id)).toMatch(/\w/);
    expect(events.get(runId)).toHaveLength(1);
  });

  it.each([
    ['a NUL character in a text', 'a\u0000b'],
    ['a NUL character behind a backslash', '\\\u0000'],
    ['a NUL character in a key', { 'a\u0000b': 1 }],
    ['half of a surrogate pair', ['a\ud800b']],
    ['the other half', ['\udfff']],
  ])('fails the step whose output holds %s, instead of refusing its report', (_what, output) => {
    const { events, malformed } = read(delivery({ ...report, output }));
    expect(malformed.size).toBe(0);
    expect(events.get(runId)).toMatchObject([
      { outcome: 'failed', output: null, error: { code: 'step.output_unstorable', retryable: false } },
    ]);
  });

  it('fails the step whose output is nested too deep, instead of refusing its report', () => {
    const nested = (levels: number) =>
      delivery(JSON.stringify(report).replace(/}$/, `,"output":${'['.repeat(levels)}${']'.repeat(levels)}}`));
    expect(read(nested(256)).events.get(runId)).toMatchObject([{ outcome: 'succeeded' }]);
    for (const levels of [257, 4_000, 100_000]) {
      const { events, malformed } = read(nested(levels));
      expect(malformed.size).toBe(0);
      expect(events.get(runId)).toMatchObject([
        { outcome: 'failed', output: null, error: { code: 'step.output_too_deep', retryable: false } },
      ]);
    }
  });

  it.each(['write \\u0000 for NUL', '\\ud800', '\\\\u0000', 'whole 😀 pairs', { '\\u0000': 1 }])(
    'takes the output %j, which only tells of such characters',
    (output) => {
      expect(read(delivery({ ...report, output })).events.get(runId)).toMatchObject([{ outcome: 'succeeded', output }]);
    },
  );

  it('makes an error storable that is not', () => {
    const error = { code: 'x\u0000', message: 'a\u0000b\ud800', retryable: true };
    expect(read(delivery({ ...report, outcome: 'failed', error })).events.get(runId)).toMatchObject([
      { error: { code: 'x\u2400', message: 'a\u2400b\ufffd' } },
    ]);
  });

  it('bounds how long a worker may say that a step ran', () => {
    expect(read(delivery({ ...report, ranMs: Number.MAX_SAFE_INTEGER })).events.get(runId)).toMatchObject([{ ranMs: 366 * 86_400_000 }]);
  });
});
