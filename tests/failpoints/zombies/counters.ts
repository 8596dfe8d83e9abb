import type { Town } from '../town.ts';

/** Sums of what all processes of the town have counted since they began. */
export interface Counters {
  /** Reports that workers have sent. */
  readonly reportsSent: number;
  /** What became of the reports, by verdict. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly leasesLost: number;
  /** Transitions that lost their race: the run had been moved by somebody else. */
  readonly conflicts: number;
}

export async function readCounters(town: Town): Promise<Counters> {
  const text = (await Promise.all(town.members.filter(({ role }) => role !== 'api').map((member) => town.metrics(member)))).join('\n');
  const lines = text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, labels, value: Number(value) }];
  });
  const sum = (name: string, label = '') =>
    lines.filter((line) => line.name === name && line.labels.includes(label)).reduce((all, { value }) => all + value, 0);
  const verdicts = new Set(
    lines.filter(({ name }) => name === 'flowforge_report_verdicts_total').map(({ labels }) => /verdict="(\w+)"/.exec(labels)?.[1] ?? ''),
  );
  return {
    reportsSent: sum('flowforge_worker_report_batch_size_sum'),
    verdicts: Object.fromEntries([...verdicts].map((verdict) => [verdict, sum('flowforge_report_verdicts_total', `verdict="${verdict}"`)])),
    leasesLost: sum('flowforge_worker_leases_lost_total'),
    conflicts: sum('flowforge_transitions_total', 'result="conflict"'),
  };
}
