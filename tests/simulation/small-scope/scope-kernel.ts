import { Kernel } from '../virtual/kernel.ts';

import type { Happening, SimulatedProcess } from '../virtual/simulated-process.ts';

/** Something that a server could do next. */
export interface Possible {
  readonly label: string;
  /** The label with what its sender knew: the same key means the same message. */
  readonly key: string;
  readonly happening: Happening;
}

/** Opening a connection and taking leave move nothing that anybody sees; nobody stands still for as long as a watch waits. */
const AT_ONCE = /^postgres (connect|goodbye)/;
const NEVER = /^postgres watches/;

/**
 * A kernel without a clock of its own: what goes to a server happens when it is chosen, what comes back to a process happens at once. A
 * process's own steps between two messages are seen by nobody, so nothing is lost by not choosing among them.
 */
export class ScopeKernel extends Kernel {
  private readonly underWay: Possible[] = [];
  private readonly atOnce: Happening[] = [];
  private serial = 0;
  private readonly heard = new Map<SimulatedProcess, string>();

  /** What the servers could do next, the oldest first. */
  get possible(): Possible[] {
    this.forgetDead();
    return [...this.underWay];
  }

  override plan(process: SimulatedProcess, inMs: number, label: string, run: () => void): Happening {
    this.serial += 1;
    const happening = { at: this.now + inMs, order: this.serial, process, label, run, cancelled: !process.alive };
    if (NEVER.test(label)) return happening;
    if (process === this.outside && !AT_ONCE.test(label))
      this.underWay.push({ label, key: `${label} ${this.knowledgeOf(this.process)}`, happening });
    else if (process.alive) this.atOnce.push(happening);
    return happening;
  }

  override hears(process: SimulatedProcess, to: string, answer: unknown): void {
    this.notice(process, `${to} ${JSON.stringify(answer)}`);
  }

  /** What a process has learned: as it does the same after the same, this stands for all that it remembers. */
  notice(process: SimulatedProcess, what: string): void {
    this.heard.set(process, `${this.heard.get(process) ?? ''}\n${what}`);
  }

  knowledgeOf(process: SimulatedProcess): string {
    return this.heard.get(process) ?? '';
  }

  /** The process begins something that does not depend on what it has learned so far. */
  forget(process: SimulatedProcess): void {
    this.heard.delete(process);
  }

  /** Lets a server do something. */
  perform(possible: Possible): Promise<void> {
    const { happening } = possible;
    this.underWay.splice(this.underWay.indexOf(possible), 1);
    this.events += 1;
    if (!happening.cancelled) this.within(this.outside, happening.run);
    return this.settle();
  }

  /** Lets processes go on until each waits for a server. */
  async settle(): Promise<void> {
    await this.drained();
    for (let next = this.atOnce.shift(); next; next = this.atOnce.shift()) {
      if (!next.cancelled && next.process.alive) this.within(next.process, next.run);
      await this.drained();
    }
  }

  private forgetDead(): void {
    for (let at = this.underWay.length - 1; at >= 0; at -= 1) if (this.underWay[at]?.happening.cancelled) this.underWay.splice(at, 1);
  }
}
