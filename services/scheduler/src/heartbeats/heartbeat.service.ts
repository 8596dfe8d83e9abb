import { HeartbeatMessage, channels, streams, type ControlMessage, type HeldStep } from '#contracts';
import type { Heartbeat, StaleHold, WorkerSessions } from '#store';
import { BatchFailure, HandlerUnavailable, type Delivery } from '#transport';
import { isOutage } from '../advance/outage.ts';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import type { EventsClient } from '../events-client.ts';

interface NamedBeat extends Heartbeat {
  readonly deployment: string;
  readonly leaving: boolean;
}

/** Renews the leases of worker sessions, and tells workers what they hold in vain: the repair of a lost cancel. */
export class HeartbeatService {
  constructor(
    private readonly sessions: WorkerSessions,
    private readonly events: EventsClient,
    private readonly deployments: DeploymentDirectory,
    private readonly leaseSeconds: number,
  ) {}

  /** How long a lease that ended is kept for the sweep to see, in seconds. */
  private get keepSeconds(): number {
    return this.leaseSeconds * 30;
  }

  async take(batch: readonly Delivery[]): Promise<void> {
    const { beats, malformed, unreadable } = this.read(batch);
    const staying = beats.filter((beat) => !beat.leaving);
    try {
      await this.sessions.beat(staying, this.leaseSeconds);
      const leaving = beats.filter((beat) => beat.leaving);
      if (leaving.length > 0) await this.sessions.leave(leaving, this.keepSeconds);
      this.answer(staying, await this.sessions.staleHolds(staying));
    } catch (error) {
      if (!isOutage(error)) throw error;
      throw new HandlerUnavailable('The database cannot be reached; the heartbeats wait.', error);
    }
    if (malformed.size > 0) throw new BatchFailure(malformed, unreadable);
  }

  /** The newest heartbeat of each session. A deployment that is not known yet may be at the next delivery; what cannot be read never will be. */
  private read(batch: readonly Delivery[]): { beats: NamedBeat[]; malformed: Map<Delivery, string>; unreadable: Set<Delivery> } {
    const newest = new Map<string, NamedBeat>();
    const malformed = new Map<Delivery, string>();
    const unreadable = new Set<Delivery>();
    for (const delivery of batch) {
      const { stream, body } = delivery;
      const deployment = stream.slice(streams.heartbeats('').length);
      const deploymentId = this.deployments.idOf(deployment);
      const message = parse(body);
      if (!message) unreadable.add(delivery);
      if (!message || !deploymentId) malformed.set(delivery, 'The message is no heartbeat of a known deployment.');
      else if (isNewer(message, newest.get(message.session))) newest.set(message.session, { ...message, deployment, deploymentId });
    }
    return { beats: [...newest.values()], malformed, unreadable };
  }

  private answer(beats: readonly NamedBeat[], stale: readonly StaleHold[]): void {
    const bySession = Map.groupBy(stale, (hold) => hold.session);
    for (const { session, deployment } of beats) {
      const holds = bySession.get(session) ?? [];
      this.tell(
        deployment,
        session,
        'cancelled',
        holds.filter((hold) => hold.cancelled),
      );
      this.tell(
        deployment,
        session,
        'stale',
        holds.filter((hold) => !hold.cancelled),
      );
    }
  }

  private tell(deployment: string, session: string, reason: ControlMessage['reason'], holds: readonly StaleHold[]): void {
    if (holds.length === 0) return;
    const drop = holds.map(({ runId, stepNo, dispatchNo }): HeldStep => [runId, stepNo, dispatchNo]);
    const message: ControlMessage = { v: 1, session, drop, reason };
    // It may be lost: the next heartbeat asks again.
    this.events.emit(channels.control(deployment), message).subscribe({ error: () => {} });
  }
}

/** Those without a number come from older workers: the last to arrive counts. */
function isNewer({ beat = 0 }: HeartbeatMessage, known: NamedBeat | undefined): boolean {
  return beat >= (known?.beat ?? 0);
}

function parse(body: string): HeartbeatMessage | null {
  try {
    const message = HeartbeatMessage.safeParse(JSON.parse(body)).data;
    // A text that the database has no place for would sink the heartbeats of all others in the batch.
    return message && [message.worker, ...message.kinds].every(isStorable) ? message : null;
  } catch {
    return null;
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}
