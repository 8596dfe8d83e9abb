/** A run at the head of a queue. `team` empty: no team. */
export interface QueuedRun {
  readonly runId: string;
  readonly deploymentId: string;
  readonly workflowId: string;
  readonly team: string;
  readonly priority: number;
  readonly concurrencyKey: string | null;
  readonly concurrencyLimit: number | null;
  readonly began: boolean;
  readonly queuedSeconds: number;
}

/** Limits that an admission keeps; null: none. */
export interface AdmissionLimits {
  deployment(id: string): number | null;
  team(name: string): number | null;
  /** A team's weight in sharing a deployment's places, 1 or more. */
  weight(team: string): number;
}

export interface AdmissionDecision {
  readonly admitted: readonly QueuedRun[];
  /** Runs that must wait, with the limit that holds them. */
  readonly held: readonly { readonly run: QueuedRun; readonly reason: string }[];
}

/** A queued minute weighs as much as one step of priority, so that low priorities are served in the end. */
const SECONDS_PER_PRIORITY = 60;

/**
 * Chooses which queued runs may start. `taken` counts the places in use: `deployment <id>`, `team <name>`, `share <deployment id> <team>`,
 * `key <workflow id> <key>`. Fair: of a deployment's free places, each goes to the team with the fewest running ÷ weight; within a team the
 * highest priority goes first, where waiting raises it; then the oldest.
 */
export function decideAdmission(
  queued: readonly QueuedRun[],
  taken: ReadonlyMap<string, number>,
  limits: AdmissionLimits,
): AdmissionDecision {
  const places = new Places(taken, limits);
  const admitted: QueuedRun[] = [];
  const held: { run: QueuedRun; reason: string }[] = [];
  for (const [, inDeployment] of Map.groupBy(queued, (run) => run.deploymentId)) {
    const queues = [...Map.groupBy(inDeployment, (run) => run.team).values()].map((queue) => queue.toSorted(byUrgency));
    let next = fairest(queues, places);
    while (next) {
      const run = next.shift();
      const reason = run && places.holds(run);
      if (run && reason) held.push({ run, reason });
      else if (run) {
        places.take(run);
        admitted.push(run);
      }
      next = fairest(queues, places);
    }
  }
  return { admitted, held };
}

function fairest(queues: readonly QueuedRun[][], places: Places): QueuedRun[] | undefined {
  let best: { queue: QueuedRun[]; share: number } | undefined;
  for (const queue of queues) {
    const head = queue[0];
    if (!head) continue;
    const share = places.share(head);
    if (!best || share < best.share) best = { queue, share };
  }
  return best?.queue;
}

function byUrgency(one: QueuedRun, other: QueuedRun): number {
  const urgency = (run: QueuedRun) => run.priority + Math.floor(run.queuedSeconds / SECONDS_PER_PRIORITY);
  return urgency(other) - urgency(one) || (one.runId < other.runId ? -1 : 1);
}

class Places {
  private readonly taken: Map<string, number>;

  constructor(
    taken: ReadonlyMap<string, number>,
    private readonly limits: AdmissionLimits,
  ) {
    this.taken = new Map(taken);
  }

  share(run: QueuedRun): number {
    return (this.taken.get(shareOf(run)) ?? 0) / this.limits.weight(run.team);
  }

  /** The limit that holds this run back; null when there is a place for it. */
  holds(run: QueuedRun): string | null {
    if (this.full(`deployment ${run.deploymentId}`, this.limits.deployment(run.deploymentId))) return 'limit.deployment';
    if (run.team !== '' && this.full(`team ${run.team}`, this.limits.team(run.team))) return 'limit.team';
    if (!run.began && run.concurrencyKey !== null && this.full(keyOf(run), run.concurrencyLimit)) return 'limit.concurrency_key';
    return null;
  }

  take(run: QueuedRun): void {
    for (const scope of [`deployment ${run.deploymentId}`, `team ${run.team}`, shareOf(run)])
      this.taken.set(scope, (this.taken.get(scope) ?? 0) + 1);
    if (!run.began && run.concurrencyKey !== null) this.taken.set(keyOf(run), (this.taken.get(keyOf(run)) ?? 0) + 1);
  }

  private full(scope: string, limit: number | null): boolean {
    return limit !== null && (this.taken.get(scope) ?? 0) >= limit;
  }
}

function shareOf(run: QueuedRun): string {
  return `share ${run.deploymentId} ${run.team}`;
}

function keyOf(run: QueuedRun): string {
  return `key ${run.workflowId} ${run.concurrencyKey ?? ''}`;
}
