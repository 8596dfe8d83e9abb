import { channels, type RunsChanged, type RunsSubmitted } from '#contracts';

/** Ids that one `runs.changed` carries at most. */
const CHANGED_IDS_MAX = 500;

/** Publishes what may be lost: Nest's Redis client, or its twin within the process. */
export interface EventsClient {
  announce(channel: string, message: RunsSubmitted | RunsChanged): Promise<void>;
}

/**
 * Tells schedulers and other replicas that something happened. Never awaited, may be lost: whoever needs to know looks by himself, a little
 * later. One message at a time is under way; what comes meanwhile goes with the next one, and alone nothing waits.
 */
export class RunWakeups {
  private submittedCount = 0;
  private changedIds = new Set<string>();
  private sending = false;

  constructor(private readonly client: EventsClient) {}

  submitted(count: number): void {
    this.submittedCount += count;
    this.send();
  }

  /** A run was moved here: its schedulers and whoever follows it shall look. */
  moved(runId: string): void {
    if (this.changedIds.size < CHANGED_IDS_MAX) this.changedIds.add(runId);
    this.submitted(1);
  }

  private send(): void {
    if (this.sending || this.submittedCount === 0) return;
    this.sending = true;
    // failpoint p3: what happened is committed, and the schedulers have not been woken
    const submitted = this.announce(channels.runsSubmitted, { count: this.submittedCount });
    const changed = this.changedIds.size === 0 ? null : this.announce(channels.runsChanged, { runs: [...this.changedIds] });
    this.submittedCount = 0;
    this.changedIds.clear();
    void Promise.all([submitted, changed]).then(() => {
      this.sending = false;
      this.send();
    });
  }

  /** Never rejects: a lost wake-up costs time only, and the error is the readiness check's to tell. */
  private announce(channel: string, message: RunsSubmitted | RunsChanged): Promise<void> {
    return this.client.announce(channel, message).catch(() => undefined);
  }
}
