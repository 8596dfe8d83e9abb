import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { REPORTS_TOGETHER_MAX } from '#contracts';
import type { Delivery } from '#transport';
import { failureOf } from './report-faults.ts';
import { readReports, type ReportIntake } from './report-intake.ts';

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
const around = { idOf: (name: string) => (name === 'default' ? 'id-of-default' : undefined), dice: () => 0.25, reportsMax: 500 };
/** All that a small batch tells. */
function read(...batch: Delivery[]): ReportIntake {
  const [intake, ...more] = readReports(batch, around);
  if (!intake || more.length > 0) throw new Error('A small batch makes one intake.');
  return intake;
}

describe('readReports', () => {
  it('makes events of reports, in order and by run, under their own causes', () => {
    const started = { ...report, kind: 'started', id: randomUUID(), ranMs: undefined, outcome: undefined };
    const { events, malformed } = read(delivery(started), delivery({ ...report, output: { rows: 3 } }));
    expect(malformed).toEqual([]);
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
    const { events, originOf } = read(delivery(report), delivery(report));
    expect(events.get(runId)).toHaveLength(2);
    expect(new Set([...originOf.values()].map((origin) => origin.delivery.id)).size).toBe(2);
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
    ['an empty list', []],
    ['a list in a list', [[report]]],
    ['more than travel together', Array.from({ length: REPORTS_TOGETHER_MAX + 1 }, () => report)],
    ['null', null],
  ])('refuses %s, and takes the report beside it', (_what, body) => {
    const bad = delivery(body);
    const { events, malformed } = read(bad, delivery(report));
    expect(malformed).toEqual([{ origin: { delivery: bad, place: 1, count: 1 }, reason: expect.stringMatching(/\w/), hopeless: true }]);
    expect(events.get(runId)).toHaveLength(1);
  });

  it('takes as many as travel together, in order, whatever stands between them', () => {
    const others = Array.from({ length: REPORTS_TOGETHER_MAX - 2 }, () => ({ ...report, id: randomUUID() }));
    const pack = delivery([...others.slice(0, 3), null, ...others.slice(3), { ...report, v: 2 }]);

    const { events, originOf, malformed } = read(pack);

    expect(events.get(runId)?.map(({ causeId }) => causeId)).toEqual(others.map(({ id }) => id));
    expect([...originOf.values()].at(-1)).toEqual({ delivery: pack, place: REPORTS_TOGETHER_MAX - 1, count: REPORTS_TOGETHER_MAX });
    expect(malformed.map(({ origin }) => origin.place)).toEqual([4, REPORTS_TOGETHER_MAX]);
  });

  it('counts reports, not entries, into an intake, and tears none apart that travelled together', () => {
    const pack = (count: number) => delivery(Array.from({ length: count }, () => report));
    const batch = [pack(4), delivery(report), pack(3), pack(12), delivery('{'), delivery(report)];

    const sizes = [...readReports(batch, { ...around, reportsMax: 8 })].map(({ originOf, malformed }) => [originOf.size, malformed.length]);

    expect(sizes).toEqual([
      [8, 0],
      [12, 0],
      [1, 1],
    ]);
    expect([...readReports([], around)]).toEqual([]);
  });

  it.each([
    ['a NUL character in a text', 'a\u0000b'],
    ['a NUL character behind a backslash', '\\\u0000'],
    ['a NUL character in a key', { 'a\u0000b': 1 }],
    ['half of a surrogate pair', ['a\ud800b']],
    ['the other half', ['\udfff']],
  ])('fails the step whose output holds %s, instead of refusing its report', (_what, output) => {
    const { events, malformed } = read(delivery({ ...report, output }));
    expect(malformed).toEqual([]);
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
      expect(malformed).toEqual([]);
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

describe('failureOf', () => {
  const fault = (pack: Delivery, place: number, count: number, hopeless = true) => ({
    origin: { delivery: pack, place, count },
    reason: `Fault ${place}.`,
    hopeless,
  });
  const [one, two] = [delivery([]), delivery([])];

  it('names the reports of a delivery that failed, the first of many', () => {
    const few = failureOf([fault(one, 1, 1), fault(two, 2, 9), fault(two, 7, 9)]);
    expect([...few.failed]).toEqual([
      [one, 'Fault 1.'],
      [two, 'Report 2 of 9: Fault 2. Report 7 of 9: Fault 7.'],
    ]);
    const many = failureOf([1, 2, 3, 4, 5].map((place) => fault(one, place, 5)));
    expect(many.failed.get(one)).toBe('Report 1 of 5: Fault 1. Report 2 of 5: Fault 2. Report 3 of 5: Fault 3. And 2 more.');
  });

  it('gives up at once only a delivery whose every fault stays, however often it comes', () => {
    const { hopeless } = failureOf([fault(one, 1, 3), fault(one, 2, 3), fault(two, 1, 3), fault(two, 2, 3, false)]);
    expect([...hopeless]).toEqual([one]);
  });

  it('tells deliveries of two streams apart that have the same id', () => {
    const twin = { ...one, stream: 'reports:other' };
    expect([...failureOf([fault(one, 1, 1)]).failed.keys()]).not.toContain(twin);
    expect(failureOf([fault(one, 1, 1), fault(twin, 1, 1)]).failed.size).toBe(2);
  });
});
