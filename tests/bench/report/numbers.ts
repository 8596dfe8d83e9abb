/** Numbers as tables show them: three figures that matter, thousands apart. */
export function shown(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toPrecision(2);
}

/** A range as `1.2–3.4`, or one number when its ends look the same. */
export function shownRange([lowest, highest]: readonly [number, number], digits: number): string {
  const [from, to] = [lowest.toFixed(digits), highest.toFixed(digits)];
  return from === to ? from : `${from}–${to}`;
}
