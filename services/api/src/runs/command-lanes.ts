import { DomainError } from '#core';
import type { HotConnection } from '#store';

/** Commands that may wait for a session. */
const WAITING_MAX = 10_000;

/**
 * Lends sessions to commands, each to one at a time: a transaction that waits for its run must not hold up commands on other runs. While
 * all are lent, the next comes first that asked first.
 */
export class CommandLanes {
  private readonly free: HotConnection[];
  private readonly waiting: ((connection: HotConnection) => void)[] = [];

  constructor(
    connections: readonly HotConnection[],
    private readonly waitingMax = WAITING_MAX,
  ) {
    this.free = connections.toReversed();
  }

  /** Throws `api.busy` (an outage) when too many wait. */
  async use<Answer>(work: (connection: HotConnection) => Promise<Answer>): Promise<Answer> {
    const connection = this.free.pop() ?? (await this.next());
    try {
      return await work(connection);
    } finally {
      const next = this.waiting.shift();
      if (next) next(connection);
      else this.free.push(connection);
    }
  }

  private next(): Promise<HotConnection> {
    if (this.waiting.length < this.waitingMax) return new Promise((resolve) => this.waiting.push(resolve));
    const details = { waitingMax: this.waitingMax };
    throw new DomainError('api.busy', 'Too many commands are waiting.', details, 'Try again after the seconds in Retry-After.', 'outage');
  }
}
