import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, Reflector } from '@nestjs/core';
import {
  ApiKeyStore,
  type Database,
  DeploymentStore,
  type HotConnection,
  RunBlockers,
  RunViews,
  type TenancyConfig,
  WorkflowStore,
} from '#store';
import type { Logger, Metrics, ReadinessCheck } from '#telemetry';
import { ApiKeysController } from './api-keys/api-keys.controller.ts';
import { ApiMetrics } from './api-metrics.ts';
import { BearerGuard } from './auth/bearer-guard.ts';
import { KeyRing } from './auth/key-ring.ts';
import type { ApiConfig } from './config.ts';
import { DeploymentDirectory } from './deployments/deployment-directory.ts';
import { DeploymentsController } from './deployments/deployments.controller.ts';
import { ErrorFilter } from './errors/error-filter.ts';
import { OpenStreams } from './events/open-streams.ts';
import { RunChanges } from './events/run-changes.ts';
import { RunChangesController } from './events/run-changes.controller.ts';
import { RunEventsController } from './events/run-events.controller.ts';
import { RunFollower } from './events/run-follower.ts';
import { ExplainController } from './explain/explain.controller.ts';
import { RunExplainer } from './explain/run-explainer.ts';
import { HealthController } from './health/health.controller.ts';
import { openApiDocument } from './openapi/document.ts';
import { OpenApiController } from './openapi/openapi.controller.ts';
import { BatchStarter } from './runs/batch-starter.ts';
import { CommandLanes } from './runs/command-lanes.ts';
import type { ConcurrencyKeys } from './runs/concurrency-keys.ts';
import { RunAnnouncer } from './runs/run-announcer.ts';
import { RunCommands } from './runs/run-commands.ts';
import { RunIds } from './runs/run-ids.ts';
import { RunPreparer } from './runs/run-preparer.ts';
import { RunReader } from './runs/run-reader.ts';
import { RunStarter } from './runs/run-starter.ts';
import { RunSubmitter } from './runs/run-submitter.ts';
import { type EventsClient, RunWakeups } from './runs/run-wakeups.ts';
import { RunsController } from './runs/runs.controller.ts';
import { StartPlaces } from './runs/start-places.ts';
import { OPENAPI, READINESS_CHECKS } from './tokens.ts';
import { OlderPathsController } from './workflows/older-paths.controller.ts';
import { StartableWorkflows } from './workflows/startable-workflows.ts';
import { VersionCache } from './workflows/version-cache.ts';
import { WorkflowPublisher } from './workflows/workflow-publisher.ts';
import { WorkflowReader } from './workflows/workflow-reader.ts';
import { WorkflowsController } from './workflows/workflows.controller.ts';

/** What the process around the api gives it; the process opens and closes it. */
export interface ApiSurroundings {
  readonly config: ApiConfig;
  readonly tenancy: TenancyConfig;
  readonly database: Database;
  /** Sessions of the hot path: one per lane of plain submits, one for keyed submits, and those that commands borrow. */
  readonly lanes: readonly HotConnection[];
  readonly keyed: HotConnection;
  readonly commands: readonly HotConnection[];
  readonly concurrencyKeys: ConcurrencyKeys;
  /** Nest's Redis client, or its twin within the process. */
  readonly events: EventsClient;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** All that answer HTTP. */
export const HTTP_CONTROLLERS: readonly Type[] = [
  RunsController,
  RunEventsController,
  ExplainController,
  WorkflowsController,
  OlderPathsController,
  DeploymentsController,
  ApiKeysController,
  HealthController,
  OpenApiController,
];

/** The API: its controllers, behind one guard and one filter. */
@Module({ controllers: [...HTTP_CONTROLLERS, RunChangesController] })
export class ApiModule {
  static register(surroundings: ApiSurroundings): DynamicModule {
    return { module: ApiModule, providers: providersOf(surroundings), exports: [KeyRing, OpenStreams, RunChanges] };
  }
}

function providersOf({
  config,
  tenancy,
  database,
  lanes,
  keyed,
  commands,
  concurrencyKeys,
  events,
  checks,
  logger,
  metrics,
}: ApiSurroundings): Provider[] {
  const submits = {
    groupMax: config.SUBMIT_GROUP_MAX,
    pendingMax: config.SUBMIT_PENDING_MAX,
    lanes: lanes.length,
    connections: lanes,
    keyed,
  };
  const made = <T>(type: Type<T>, value: T): Provider => ({ provide: type, useValue: value });
  const views = new RunViews(database);
  const workflows = new WorkflowStore(database);
  const deployments = new DeploymentStore(database);
  const keyRing = new KeyRing(new ApiKeyStore(database));
  const counted = new ApiMetrics(metrics);
  const versions = new VersionCache(workflows);
  const directory = new DeploymentDirectory(deployments, tenancy);
  const places = new StartPlaces(versions, directory);
  const preparer = new RunPreparer(places, concurrencyKeys);
  const wakeups = new RunWakeups(events);
  const announcer = new RunAnnouncer(wakeups, counted, logger);
  const startable = new StartableWorkflows();
  const starter = new RunStarter(new RunSubmitter(submits, preparer, startable, new RunIds(), views, announcer, counted));
  const reader = new RunReader(views, versions);
  const changes = new RunChanges();
  return [
    { provide: APP_GUARD, inject: [Reflector], useFactory: (reflector: Reflector) => new BearerGuard(reflector, keyRing) },
    { provide: APP_FILTER, useValue: new ErrorFilter(logger) },
    { provide: READINESS_CHECKS, useValue: checks },
    { provide: OPENAPI, useValue: () => openApiDocument(HTTP_CONTROLLERS) },
    made(ApiKeyStore, new ApiKeyStore(database)),
    made(KeyRing, keyRing),
    made(DeploymentStore, deployments),
    made(DeploymentDirectory, directory),
    made(RunStarter, starter),
    made(BatchStarter, new BatchStarter(starter)),
    made(RunReader, reader),
    made(RunCommands, new RunCommands(new CommandLanes(commands), views, places, preparer, wakeups, counted)),
    made(RunExplainer, new RunExplainer(reader, views, new RunBlockers(database), config.WORKFLOW_MAX_CONCURRENT_EXECUTIONS)),
    made(RunChanges, changes),
    made(RunFollower, new RunFollower(views, changes)),
    made(OpenStreams, new OpenStreams(config.EVENT_STREAMS_MAX)),
    made(WorkflowPublisher, new WorkflowPublisher(workflows, tenancy.installationEnvironment, config.WORKFLOW_DEFAULT_TIMEOUT)),
    made(WorkflowReader, new WorkflowReader(workflows, logger)),
  ];
}
