import type { RolledBack } from './types.ts';
import { withClient } from './with-client.ts';

/** How many transitions each run has in a database, by run. */
export type Progress = ReadonlyMap<string, number>;

export async function progressOf(url: string): Promise<Progress> {
  const rows = await withClient(url, async (client) => {
    const answer = await client.query<{ run: string; transitions: number }>(
      'select workflow_id as run, count(*)::int as transitions from workflow_transition_audit group by workflow_id',
    );
    return answer.rows;
  });
  return new Map(rows.map(({ run, transitions }) => [run, transitions]));
}

/** What `before` had and `now` has not. */
export function differenceOf(before: Progress, now: Progress): Pick<RolledBack, 'lost' | 'setBack'> {
  const runs = [...before.keys()];
  return {
    lost: runs.filter((run) => !now.has(run)),
    setBack: runs.filter((run) => now.has(run) && (now.get(run) ?? 0) < (before.get(run) ?? 0)),
  };
}
