/** Names of the durable streams and of the channels that may lose a message. `deployment` is a deployment's name. */
export const streams = {
  tasks: (deployment: string) => `tasks:${deployment}`,
  reports: (deployment: string) => `reports:${deployment}`,
  heartbeats: (deployment: string) => `heartbeats:${deployment}`,
  logs: (deployment: string) => `logs:${deployment}`,
} as const;

export const groups = { workers: 'workers', schedulers: 'schedulers' } as const;

export const channels = {
  runsSubmitted: 'runs.submitted',
  runsChanged: 'runs.changed',
  schedulerStatus: 'scheduler.status',
  control: (deployment: string) => `control.${deployment}`,
} as const;

/** The one key outside of an epoch's prefix: it holds the current epoch, and so leads there. The scheduler writes it, again and again. */
export const epochKey = 'ff:epoch';

/** Key of the control value that a worker reads before it starts a step: present when the step was cancelled. */
export const cancelMark = (deployment: string, runId: string, stepNo: number) => `cancel:${deployment}:${runId}:${stepNo}`;

/** Streams in the same bucket live on one node of a Redis Cluster, so that a worker's report and acknowledgement are one step. */
const BUCKETS = 64;

/** The Redis key of a stream or mark: `ff:<epoch>:{b<bucket>}:<name>`. The bucket is taken from the deployment, the second part of the name. */
export function redisKey(epoch: number, name: string): string {
  const deployment = name.split(':')[1] ?? name;
  let hash = 0;
  for (let at = 0; at < deployment.length; at += 1) hash = (hash * 31 + deployment.charCodeAt(at)) >>> 0;
  return `ff:${epoch}:{b${hash % BUCKETS}}:${name}`;
}
