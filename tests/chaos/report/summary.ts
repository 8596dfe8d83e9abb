import { cpus, release, totalmem, type } from 'node:os';
import type { ChaosOptions } from '../options.ts';
import type { FaultRecord } from '../journal.ts';
import { type Figures, figuresOf } from '../judge/figures.ts';
import type { Judgement } from '../judge/judge.ts';
import type { Fact, Seen } from '../judge/verdict.ts';

/** One kind of fault over the whole run. */
export interface FaultKind {
  readonly id: string;
  readonly name: string;
  readonly inflicted: number;
  readonly notPossible: number;
  readonly failed: number;
  readonly why: string | null;
  /** From its infliction to the first red, and from the beginning of its healing until all were ready. */
  readonly toRed: Figures | null;
  readonly toGreen: Figures | null;
}

/** The whole report, as `report.json` holds it. */
export interface Report {
  readonly seed: number;
  readonly minutes: number;
  readonly rate: number;
  readonly verdict: 'holds' | 'broken';
  readonly replay: string;
  /** The faults that were shuffled, in the order before: the schedule hangs on them as on the seed. */
  readonly deck: readonly string[];
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly machine: string;
  /** Load averages of a minute while it ran; above the number of cores, everything waits for its turn. */
  readonly load: { readonly median: number; readonly most: number };
  readonly facts: readonly Fact[];
  readonly workload: Readonly<Record<string, number>>;
  readonly calls: Readonly<Record<string, number>>;
  readonly outside: Readonly<Record<string, number>>;
  readonly faults: { readonly inflicted: number; readonly kinds: readonly FaultKind[] };
  readonly driverErrors: { readonly total: number; readonly first: readonly { readonly where: string; readonly message: string }[] };
  readonly judgement: Omit<Judgement, 'series'>;
  readonly explained: readonly object[];
}

export interface ReportInput extends Seen {
  readonly options: ChaosOptions;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly facts: readonly Fact[];
  readonly outsideCounts: Readonly<Record<string, number>>;
  readonly explained: readonly object[];
}

export function reportOf({
  options,
  facts,
  judgement,
  journal,
  workload,
  caller,
  outsideCounts,
  startedAt,
  endedAt,
  explained,
}: ReportInput): Report {
  const { series: _, ...judged } = judgement;
  return {
    seed: options.seed,
    minutes: options.minutes,
    rate: options.rate,
    verdict: facts.every(({ holds }) => holds) ? 'holds' : 'broken',
    replay: replayOf(options),
    deck: options.faults.map(({ name }) => name),
    startedAt: new Date(startedAt).toISOString(),
    tookSeconds: Math.round((endedAt - startedAt) / 1000),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}, Node ${process.version}`,
    load: loadOf(journal.loads),
    facts,
    workload: { ...workload },
    calls: Object.fromEntries([...caller.counts].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    outside: outsideCounts,
    faults: { inflicted: journal.faults.filter(({ inflictedAt }) => inflictedAt !== null).length, kinds: kindsOf(journal.faults) },
    driverErrors: { total: journal.errorsTotal, first: journal.errors.slice(0, 20) },
    judgement: judged,
    explained,
  };
}

/** The command that plays the same schedule and workload again, with the catalogue as it is in `deck`. */
export function replayOf({ seed, minutes, rate, quick, faults, areNamed }: ChaosOptions): string {
  const only = areNamed ? ` --faults ${faults.length === 0 ? 'none' : faults.map(({ name }) => name).join(',')}` : '';
  return `npm run chaos -- --seed ${seed} --minutes ${minutes} --rate ${rate}${quick ? ' --quick' : ''}${only}`;
}

function loadOf(loads: readonly number[]): Report['load'] {
  const sorted = loads.toSorted((one, other) => one - other);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, most: sorted.at(-1) ?? 0 };
}

function kindsOf(faults: readonly FaultRecord[]): FaultKind[] {
  const byName = Map.groupBy(faults, ({ name }) => name);
  return [...byName]
    .map(([name, records]) => ({
      id: records[0]?.id ?? '',
      name,
      inflicted: records.filter(({ inflictedAt }) => inflictedAt !== null).length,
      notPossible: records.filter(({ outcome }) => outcome === 'not_possible').length,
      failed: records.filter(({ outcome }) => outcome === 'failed').length,
      why: records.find(({ why }) => why !== null)?.why ?? null,
      toRed: figuresOf(records.flatMap(({ redAfterMs }) => redAfterMs ?? [])),
      toGreen: figuresOf(records.flatMap(({ greenAfterMs }) => greenAfterMs ?? [])),
    }))
    .toSorted((one, other) => (one.id + one.name < other.id + other.name ? -1 : 1));
}
