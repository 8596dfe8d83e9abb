/** Milliseconds of many measures. */
export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** By the nearest rank; nothing without a measure. */
export function figuresOf(measures: readonly number[]): Figures | null {
  if (measures.length === 0) return null;
  const sorted = measures.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function describeFigures(figures: Figures | null): string {
  if (!figures) return 'not measured';
  return `p50 ${seconds(figures.p50)}, p99 ${seconds(figures.p99)}, longest ${seconds(figures.max)} (${figures.count})`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
