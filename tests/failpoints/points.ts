/** The points of the protocol at which a process is struck. Each has one marker `// failpoint pN: …` in the sources. */

export type PointName = `p${number}`;
export type Server = 'postgres' | 'redis' | 'outside';
export type Role = 'api' | 'scheduler' | 'worker';

export interface Point {
  readonly name: PointName;
  /** Whose code comes there. */
  readonly role: Role;
  readonly moment: string;
  /** The connections that `cut` breaks, and over which `execute-then-error` loses an answer. */
  readonly server: Server;
  /** What the statement after the point holds whose answer is lost: one of these; none: whatever is sent. */
  readonly statements: readonly string[];
  /** What it takes to come there, beyond runs that are under way: a worker that is lost, or one that is told to stop. */
  readonly needs?: 'lost worker' | 'drain';
  /** Milliseconds after the arrival at which it strikes, a choice for the seeds: the moment before, amid and after what the code does next. */
  readonly afterMs: readonly number[];
  /** Only the scheduler that holds the lease. */
  readonly leaderOnly?: boolean;
}

const SUBMITS = ['runs_submit'];
const COMMITS = ['commit'];

export const POINTS: readonly Point[] = [
  { name: 'p1', role: 'api', moment: 'before the insert', server: 'postgres', statements: SUBMITS, afterMs: [0] },
  { name: 'p2', role: 'api', moment: 'committed, not answered', server: 'postgres', statements: [], afterMs: [0] },
  { name: 'p3', role: 'api', moment: 'before the wake-up', server: 'redis', statements: [], afterMs: [0] },
  { name: 'p4', role: 'scheduler', moment: 'the lease is taken', server: 'postgres', statements: [], afterMs: [0], leaderOnly: true },
  { name: 'p5', role: 'scheduler', moment: 'committed, tasks not sent', server: 'redis', statements: ['xadd'], afterMs: [0] },
  { name: 'p6', role: 'scheduler', moment: 'tasks sent, known to nobody', server: 'redis', statements: [], afterMs: [0] },
  { name: 'p7', role: 'scheduler', moment: 'moves and commit on their way', server: 'postgres', statements: COMMITS, afterMs: [0, 1, 3] },
  { name: 'p8', role: 'scheduler', moment: 'mid-sweep', server: 'postgres', statements: COMMITS, afterMs: [0], needs: 'lost worker' },
  { name: 'p9', role: 'scheduler', moment: 'reports read, not applied', server: 'postgres', statements: COMMITS, afterMs: [0] },
  { name: 'p10', role: 'scheduler', moment: 'applied, not acknowledged', server: 'redis', statements: ['xack'], afterMs: [0] },
  {
    ...{ name: 'p13', role: 'scheduler', moment: 'before the lease is renewed', server: 'postgres' },
    ...{ statements: ['leases_take'], afterMs: [0], leaderOnly: true },
  },
  { name: 'p14', role: 'worker', moment: 'tasks read, none begun', server: 'redis', statements: ['mget'], afterMs: [0] },
  { name: 'p15', role: 'worker', moment: 'start reported', server: 'redis', statements: ['xadd'], afterMs: [0, 10, 30] },
  { name: 'p16', role: 'worker', moment: 'mid-effect', server: 'outside', statements: [], afterMs: [0, 15, 60] },
  { name: 'p17', role: 'worker', moment: 'effect done, not reported', server: 'redis', statements: ['xadd'], afterMs: [0] },
  { name: 'p18', role: 'worker', moment: 'reported and acknowledged', server: 'redis', statements: [], afterMs: [0] },
  { name: 'p19', role: 'worker', moment: 'heartbeat due', server: 'redis', statements: ['xadd'], afterMs: [0] },
  { name: 'p20', role: 'worker', moment: 'SIGTERM, draining', server: 'redis', statements: [], afterMs: [0, 20, 120], needs: 'drain' },
];

/** Points whose part of the product does not exist yet. Each moves up when its part comes. */
export const NOT_YET: Readonly<Record<PointName, string>> = {
  p11: 'cron row fired before next_at: there are no schedules',
  p12: 'Kubernetes object 1 of 3 applied: there is no fleet',
};
