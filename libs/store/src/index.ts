export { achievementsOf } from './migrations/sql-migration.ts';
export { migrate, migrationStatus, revertLast, type MigrationOptions } from './migrate.ts';
export {
  API_ROLE,
  OWNER_ROLE,
  SCHEDULER_ROLE,
  createOwnedDatabase,
  endAllLeases,
  ensureServiceRoles,
  type ServicePasswords,
} from './roles.ts';
export { HotConnection, type HotClient, type HotTransaction, type OpenHotClient } from './hot-connection.ts';
export { SessionWatch, type WatchLog, type WatchOptions } from './session-watch.ts';
export { statement, type Statement } from './statement.ts';
export { RunReader, type RunHead, type RunStep, type StepKey } from './advance/run-reader.ts';
export { DecisionWriter, type WritableDecision } from './advance/decision-writer.ts';
export { WorkerSessions, type Heartbeat, type StaleHold } from './advance/sessions.ts';
export { SweepReader, type DispatchedStep, type UnheldStep } from './advance/sweep-reader.ts';
export { AdmissionReader, lockAndCount, type Candidate, type PlacesTaken, type Scopes } from './advance/admission-reader.ts';
export { writeLogs, type LogRow } from './advance/log-writer.ts';
export { ensurePartitions, findPlan, forgetKeys, readEpoch, releaseLease, takeLease } from './advance/housekeeping.ts';
export { ACQUIRE_TIMEOUT_MS, POOL_CONNECTIONS_MAX, openDatabase, type Database, type DatabaseOptions } from './connections.ts';
export { validateGraphs } from './validate-graphs.ts';
export { readTenancyConfig } from './deployments-config.ts';
export type { DeploymentConfig, TeamConfig, TenancyConfig } from './deployments-types.ts';
export { DEFAULT_DEPLOYMENTS, DEFAULT_POOLS } from './deployments-defaults.ts';
export { DeploymentStore, seedDeployments } from './deployments.ts';
export type { DeploymentEntity } from './entities/deployment.entity.ts';
export type { WorkflowEntity } from './entities/workflow.entity.ts';
export {
  WorkflowStore,
  type NewVersion,
  type Published,
  type VersionSummaryRow,
  type WorkflowChange,
  type WorkflowFilter,
  type WorkflowVersionRow,
} from './workflows.ts';
export { ApiKeyStore, type ApiKeyRow, type KnownApiKey, type NewApiKey } from './api-keys.ts';
export {
  findStartable,
  findSubmitted,
  isAlreadyThere,
  isRefusedByDatabase,
  submitKeyedRuns,
  submitRuns,
  takeRunIds,
  type KeyedRun,
  type NewRun,
  type Remembered,
  type RunTarget,
  type StartableWorkflow,
  type SubmitOutcome,
} from './submit.ts';
export { cancelRun, findLiveRetry, type CommandOutcome, type RunAction } from './commands.ts';
export { RunViews, type LogLineRow, type LogPlace, type RunSummaryRow, type StepRow, type TransitionRow } from './runs-read.ts';
export type { RunFilter } from './runs-page.ts';
export { EXPLAINED_MAX, RunBlockers, type ActiveStepRow, type Holders, type LiveRow, type SessionRow } from './runs-read-blockers.ts';
export { checkInvariants, type CheckOptions } from './checker/check-invariants.ts';
export type { LedgerEntry, StreamSnapshot } from './checker/evidence.ts';
export type { CheckReport, Finding } from './checker/report.ts';
export { HistoryEvent } from './checker/history.ts';
export { formatReport } from './checker/format-report.ts';
