import type { ClientProxy } from '@nestjs/microservices';
import { channels, type RunsChanged, type RunsSubmitted } from '#contracts';

/** Ids that one `runs.changed` carries at most. */
const CHANGED_IDS_MAX = 500;

/** Publishes what may be lost. */
export type EventsClient = Pick<ClientProxy, 'emit'>;

/**
 * Tells schedulers and other replicas that something happened. Never awaited, may be lost: whoever needs to know looks by himself, a little
 * later. What comes while a message is under way goes with the next one.
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
    if (this.sending || (this.submittedCount === 0 && this.changedIds.size === 0)) return;
    const submitted: RunsSubmitted = { count: this.submittedCount };
    const changed: RunsChanged = { runs: [...this.changedIds] };
    this.submittedCount = 0;
    this.changedIds = new Set();
    this.sending = true;
    // failpoint p3: what happened is committed, and the schedulers have not been woken
    const sent = [
      this.emit(channels.runsSubmitted, submitted),
      ...(changed.runs.length > 0 ? [this.emit(channels.runsChanged, changed)] : []),
    ];
    void Promise.all(sent).then(() => {
      this.sending = false;
      this.send();
    });
  }

  private emit(channel: string, message: RunsSubmitted | RunsChanged): Promise<void> {
    return new Promise((resolve) => {
      // A lost wake-up costs time only: the error is the readiness check's to tell.
      this.client.emit(channel, message).subscribe({ complete: resolve, error: () => resolve() });
    });
  }
}
