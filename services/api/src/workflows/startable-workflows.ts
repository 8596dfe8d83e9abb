import { LRUCache } from 'lru-cache';
import { type HotTransaction, type StartableWorkflow, findStartable } from '#store';

const REMEMBERED_MAX = 10_000;

/**
 * What starting runs needs of workflows. What was read is remembered, without a limit of time: the insert of the runs has the database compare it
 * with what the workflow is by then, and nothing is refused for what is only remembered.
 */
export class StartableWorkflows {
  private readonly known = new LRUCache<string, StartableWorkflow>({ max: REMEMBERED_MAX });

  /** Those of them that were startable when they were last read. */
  remembered(ids: Iterable<string>): Map<string, StartableWorkflow> {
    const found = new Map<string, StartableWorkflow>();
    for (const id of ids) {
      const workflow = this.known.get(id);
      if (workflow) found.set(id, workflow);
    }
    return found;
  }

  /** Those of them that there are, as they are now. */
  async read(connection: HotTransaction, ids: readonly string[]): Promise<Map<string, StartableWorkflow>> {
    const found = ids.length === 0 ? new Map<string, StartableWorkflow>() : await findStartable(connection, ids);
    for (const id of ids) {
      const workflow = found.get(id);
      if (workflow?.enabled && workflow.version > 0) this.known.set(id, workflow);
      else this.known.delete(id);
    }
    return found;
  }
}
