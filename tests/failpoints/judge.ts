import { checkInvariants } from '#store';
import { eventually } from '#testing';
import { databaseNow, idleWorkersSince } from '../harness/idle-workers.ts';
import { SERVED_DEPLOYMENT, SHORT_TIMES } from '../harness/stack.ts';
import { snapshotStreams, unsettledHeartbeats } from '../harness/stream-snapshots.ts';
import { LEASE_MS, nameOfWorker, type Town } from './town.ts';
import { STEPS_WITHOUT_EFFECT } from './workflows.ts';

const endsWithinMs = 120_000;
const lookEveryMs = 100;
const lastLines = 8;
const FATAL = /"level":"fatal"|invariant\.broken|UnhandledPromiseRejection/;

/** Waits until every run has ended, nothing waits in a stream, and every worker has told since then that it holds nothing. */
export async function comesToRest(town: Town): Promise<void> {
  let quietSince: string | undefined;
  const isAtRest = async () => {
    const open = await openOf(town);
    if (open) quietSince = undefined;
    else quietSince ??= await databaseNow(town.owner);
    const silent = quietSince && (await silentSince(town, quietSince));
    if (open || silent) throw new Error(open || silent);
    return true;
  };
  await eventually(isAtRest, { within: endsWithinMs, every: lookEveryMs, what: 'all runs to end and nothing to be left' }).catch(
    async (error: unknown) => {
      const open = await town.records.open();
      throw new Error(`${String(error)}\n${open.map((line) => `      ${line}`).join('\n')}`);
    },
  );
}

/** What is under way, in a few words; empty for nothing. */
async function openOf(town: Town): Promise<string> {
  const live = await town.records.liveRuns();
  if (live > 0) return `${live} runs have not ended`;
  const beats = await unsettledHeartbeats(town.stack.redis.url, 1, SERVED_DEPLOYMENT);
  if (beats > 0) return `${beats} heartbeats are not settled`;
  const left = (await streamsOf(town)).filter(({ pending, entries }) => pending + entries.length > 0);
  return left.map(({ kind, pending, entries }) => `${kind}: ${pending} pending, ${entries.length} waiting`).join(', ');
}

/** The workers that have not told since this moment that they hold nothing; empty for none. */
async function silentSince(town: Town, moment: string): Promise<string> {
  const idle = await idleWorkersSince(town.owner, moment);
  const silent = town.of('worker').flatMap(({ at }) => (idle.includes(nameOfWorker(at)) ? [] : [nameOfWorker(at)]));
  return silent.length > 0 ? `no word from ${silent.join(', ')} that it holds nothing` : '';
}

/** What is not as it must be, now that nothing is under way. */
export async function faultsOf(town: Town): Promise<string[]> {
  const report = await checkInvariants(town.owner, {
    quiescent: true,
    expected: [...town.workload.accepted],
    ledger: [...town.outside.effects].map(([idempotencyKey, count]) => ({ idempotencyKey, count })),
    bounds: { leaseSeconds: LEASE_MS / 1_000, sweepSeconds: Number(SHORT_TIMES.SWEEP_SECONDS), workerLossesMax: 101 },
    streams: await streamsOf(town),
  });
  const findings = report.invariants.flatMap(({ id, findings: found }) =>
    found.map(({ code, subject, message, details }) => `${id} ${code} ${subject}: ${message} ${JSON.stringify(details)}`),
  );
  return [...findings, ...(await wrongEnds(town)), ...(await wrongEffects(town)), ...wrongProcesses(town)];
}

/** Every run succeeds, except one that was to be cancelled. */
async function wrongEnds({ records, workload }: Town): Promise<string[]> {
  const ends = await records.ends();
  return ends
    .filter(({ id, state }) => !(state === 'CANCELLED' && workload.cancelled.has(id)))
    .map(({ id, state }) => `run ${id} ended as ${state}`);
}

/** The outside world has booked what succeeded, and nothing under a key that no step of ours has. */
async function wrongEffects({ records, outside }: Town): Promise<string[]> {
  const steps = await records.steps(STEPS_WITHOUT_EFFECT);
  const lost = [...steps].filter(([key, state]) => state === 'SUCCEEDED' && !outside.effects.has(key));
  const foreign = [...outside.effects.keys()].filter((key) => !steps.has(key));
  return [
    ...lost.map(([key]) => `step ${key} succeeded without its effect`),
    ...foreign.map((key) => `an effect was booked under ${key}, which no step has`),
    ...(outside.requestsWithoutKey > 0 ? [`${outside.requestsWithoutKey} requests had no idempotency key`] : []),
  ];
}

function wrongProcesses(town: Town): string[] {
  return town.members.flatMap((member) => {
    const { name, ending, lines } = town.process(member);
    const fatal = lines.find((line) => FATAL.test(line));
    const ended = ending ? [`${name} ended with ${ending.code}: ${lines.slice(-lastLines).join(' | ')}`] : [];
    return [...ended, ...(fatal ? [`${name} said: ${fatal.slice(0, 300)}`] : [])];
  });
}

function streamsOf(town: Town) {
  return snapshotStreams(town.stack.redis.url, 1, SERVED_DEPLOYMENT);
}
