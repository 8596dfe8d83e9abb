import { readdir, readFile } from 'node:fs/promises';

export interface Descendant {
  readonly pid: number;
  /** The program's name as the kernel shows it, at most 15 characters. */
  readonly name: string;
}

/** All processes that this one started, and those that they started. Linux only: elsewhere there are none to see. */
export async function descendantsOf(pid: number): Promise<Descendant[]> {
  const all = await Promise.all((await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(readProcess));
  const found: Descendant[] = [];
  for (const parents = [pid]; parents.length > 0;) {
    const parent = parents.shift();
    for (const child of all) {
      if (!child || child.parent !== parent) continue;
      found.push(child);
      parents.push(child.pid);
    }
  }
  return found;
}

/** Those that still live; a dead one that nobody has asked for its end does not count. */
export async function living(processes: readonly Descendant[]): Promise<string[]> {
  const found = await Promise.all(processes.map(async (known) => ({ known, now: await readProcess(String(known.pid)) })));
  return found.flatMap(({ known: { pid, name }, now }) => (now ? [`${name} (${pid})`] : []));
}

async function readProcess(pid: string): Promise<(Descendant & { readonly parent: number }) | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces and parentheses; what follows it does not.
  const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)/s.exec(stat) ?? [];
  const [state, parent] = rest.split(' ');
  return state === undefined || state === 'Z' || name === '' ? undefined : { pid: Number(pid), name, parent: Number(parent) };
}
