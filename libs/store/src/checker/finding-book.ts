import type { Json } from '#core';
import { describeFinding, FINDING_KINDS } from './findings.ts';
import type { Finding, InvariantId } from './report.ts';

/** Collects findings: all are counted, of each code only the first ones are kept. */
export class FindingBook {
  private readonly byCode = new Map<string, { readonly told: Finding[]; total: number }>();

  constructor(readonly perCodeMax: number) {}

  add(code: string, subject: string, details: Readonly<Record<string, Json>>): void {
    const page = this.pageOf(code);
    page.total += 1;
    if (page.told.length < this.perCodeMax) page.told.push(describeFinding(code, subject, details));
  }

  /** Findings that were counted where they were found and not handed over. */
  addUntold(code: string, count: number): void {
    this.pageOf(code).total += count;
  }

  findingsOf(invariant: InvariantId): { readonly findings: Finding[]; readonly total: number } {
    const pages = [...this.byCode].filter(([code]) => FINDING_KINDS[code]?.invariant === invariant).map(([, page]) => page);
    return { findings: pages.flatMap(({ told }) => told), total: pages.reduce((sum, { total }) => sum + total, 0) };
  }

  private pageOf(code: string) {
    const page = this.byCode.get(code) ?? { told: [], total: 0 };
    this.byCode.set(code, page);
    return page;
  }
}
