import type { Figure } from '../figures.ts';
import type { Progress } from '../progress.ts';
import { shown } from './numbers.ts';
import { inWords } from './tables.ts';

/** A line on stdout. */
export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Tells what is measured, and each figure as soon as it is there; keeps the figures. */
export class Telling implements Progress {
  readonly figures: Figure[] = [];
  private readonly beganAt = performance.now();

  begins(what: string): void {
    say(`  ${this.seconds()}  ${what} …`);
  }

  seen(figure: Figure): void {
    this.figures.push(figure);
    const values = Object.entries(figure.values).map(([name, value]) => `${inWords(name)} ${shown(value)}`);
    const parts = Object.entries(figure.cpuUs).map(([part, us]) => `${part} ${shown(us)}`);
    say(
      `  ${this.seconds()}    ${figure.system} ${figure.workload}: ${values.join(', ')} (${parts.join(', ')}; load ${figure.load.toFixed(1)}, others ${figure.othersPercent.toFixed(0)} %)`,
    );
  }

  private seconds(): string {
    return `${((performance.now() - this.beganAt) / 1000).toFixed(0).padStart(5)} s`;
  }
}
