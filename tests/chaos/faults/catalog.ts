import type { Fault } from '../world/types.ts';
import { wrongClocks } from './clock-wrong.ts';
import { lostAnswers } from './link-answers.ts';
import { redisPassword } from './link-password.ts';
import { halfOpenLinks, linkSwizzle } from './link-silence.ts';
import { linkFlapping, linkLatency, linkNarrow, linkResets, linkSliced } from './link-weather.ts';
import { messageCorrupt, messageForeign, messageHuge } from './message-corrupt.ts';
import { messageEpoch, messageLate, messageRepeat } from './message-repeat.ts';
import { badOutside } from './outside-behaviour.ts';
import { keyRotation } from './outside-keys.ts';
import { slowReaders } from './outside-readers.ts';
import { postgresFaults } from './postgres.ts';
import { processKill, processKillSchedulers, processKillTwo, processKillWorkers } from './process-kill.ts';
import { apiPause, leaderPause, schedulerPause, schedulersPause, workerPause, workersPause } from './process-pause.ts';
import { stepProcessKill } from './process-steps.ts';
import { apiRestart, graceExceeded, schedulersRestart, secondTerm, workersRestart } from './process-stop.ts';
import { redisFaults } from './redis.ts';
import { stepHarms } from './step-harm.ts';

/** Every fault that a chaos run can inflict, in the order of the fault matrix. */
export const CATALOG: readonly Fault[] = [
  workerPause,
  workersPause,
  schedulerPause,
  apiPause,
  leaderPause,
  schedulersPause,
  ...lostAnswers,
  ...stepHarms,
  stepProcessKill,
  workersRestart,
  schedulersRestart,
  apiRestart,
  secondTerm,
  graceExceeded,
  processKill,
  processKillTwo,
  processKillSchedulers,
  processKillWorkers,
  ...halfOpenLinks,
  linkLatency,
  linkNarrow,
  linkResets,
  linkSliced,
  linkFlapping,
  linkSwizzle,
  ...wrongClocks,
  messageRepeat,
  messageLate,
  messageEpoch,
  messageCorrupt,
  messageHuge,
  messageForeign,
  ...badOutside,
  slowReaders,
  keyRotation,
  redisPassword,
  ...redisFaults,
  ...postgresFaults,
].toSorted((one, other) => one.id.localeCompare(other.id));

/** The faults of this name or row (`redis-kill`, `F08`), none when there is no such. */
export function findFaults(word: string): readonly Fault[] {
  return CATALOG.filter(({ id, name }) => name === word || id.toLowerCase() === word.toLowerCase());
}
