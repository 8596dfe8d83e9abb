import { REPORTS_TOGETHER_MAX } from '#contracts';

/** Far below what the streams take in one entry, whatever the characters: a large output travels alone. */
const charactersTogetherMax = 64 * 1024;

/** What is sent for these reports (JSON), in their order: those that stand together travel together, and one alone as it is. */
export function packed(reports: readonly string[]): string[] {
  const packs: string[][] = [];
  let characters = Infinity;
  for (const report of reports) {
    const open = packs.at(-1);
    characters += report.length;
    if (open && open.length < REPORTS_TOGETHER_MAX && characters <= charactersTogetherMax) open.push(report);
    else {
      packs.push([report]);
      characters = report.length;
    }
  }
  return packs.map((pack) => (pack.length === 1 ? pack.join() : `[${pack.join(',')}]`));
}
