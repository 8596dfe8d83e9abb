import { figureOf, type Figure } from '../figures.ts';
import { Meter } from '../measure/meter.ts';

const WORDS = 2 ** 24;
const READS = 500_000;
const ADDS = 50_000_000;

/**
 * The pace of this machine apart from all software: what an addition takes, what a read takes somewhere in 64 MB, and how fast fresh memory
 * is handed out. On a virtual machine the last two may be many times slower than an hour before, and everything with them.
 */
export function measureMachine(): Figure {
  const meter = Meter.begin({}, { own: true });
  const fresh = performance.now();
  const words = new Int32Array(WORDS).fill(1);
  const freshMs = performance.now() - fresh;
  const reads = performance.now();
  let sum = readAtRandom(words);
  const readsMs = performance.now() - reads;
  const adds = performance.now();
  for (let at = 0; at < ADDS; at += 1) sum = (sum + at) | 0;
  const addsMs = performance.now() - adds;
  // What nobody reads need not be computed.
  if (!Number.isInteger(sum)) throw new Error('A sum of integers is one.');
  return figureOf('limit', 'machine', 1, meter.end(), {
    addNs: (addsMs * 1e6) / ADDS,
    randomReadNs: (readsMs * 1e6) / READS,
    freshMegabytesPerSecond: (WORDS * 4) / 2 ** 20 / (freshMs / 1000),
  });
}

function readAtRandom(words: Int32Array): number {
  let at = 12_345;
  let sum = 0;
  for (let read = 0; read < READS; read += 1) {
    at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0;
    sum = (sum + (words[at % WORDS] ?? 0)) | 0;
  }
  return sum;
}
