import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#core';
import { type HotClient, HotConnection, type RunTarget, type StartableWorkflow } from '#store';
import { createMetrics } from '#telemetry';
import { ApiMetrics } from '../api-metrics.ts';
import { StartableWorkflows } from '../workflows/startable-workflows.ts';
import { RunIds } from './run-ids.ts';
import type { PreparedRun } from './run-preparer.ts';
import { RunSubmitter } from './run-submitter.ts';
import type { StartPlace, StartRequest } from './started-run.ts';

const WORKFLOW_ID = '018f0000-0000-7000-8000-000000000001';
const RUN_ID = '018f0000-0000-7000-8000-000000000002';
const deployment = { id: 'd', name: 'a-deployment', pool: 'a-pool' };

/** A submitter on a database that has one workflow, and the statements that it sent. */
function given({ enabled = true } = {}) {
  const workflow: { -readonly [Key in keyof StartableWorkflow]: StartableWorkflow[Key] } = {
    ...{ id: WORKFLOW_ID, name: 'a-workflow', enabled, environment: 'production', team: null, version: 1 },
  };
  const sent: string[] = [];
  const versions: unknown[] = [];
  const answers: Readonly<Record<string, (values: readonly unknown[]) => object[]>> = {
    workflows_startable: () => [{ ...workflow }],
    run_ids_take: () => [{ id: RUN_ID }],
    runs_submit: (values) => {
      const [[version = 0] = [], [isCompared] = []] = [values[8], values[17]].map((column) => (Array.isArray(column) ? column : []));
      const isOutdated = isCompared && (version !== workflow.version || !workflow.enabled);
      if (!isOutdated) versions.push(version);
      return [{ created_at: new Date(), outdated: isOutdated ? [1] : [] }];
    },
  };
  const client: HotClient = {
    connect: async () => undefined,
    on: () => undefined,
    end: async () => undefined,
    query: async (statement) => {
      const [name, values] = typeof statement === 'string' ? [statement, []] : [statement.name, statement.values];
      sent.push(name);
      return { rows: answers[name]?.(values) ?? [] };
    },
  };
  const connection = new HotConnection('postgres://nowhere', 'test', undefined, () => client);
  const preparer = {
    placeOf: async (_: string, found?: StartableWorkflow) => {
      if (!found?.enabled) throw new DomainError('workflow.disabled', 'It is disabled.');
      return { place: placeOf(found), version: { workflowId: WORKFLOW_ID, version: found.version, ...unused } };
    },
    prepare: async ({ inputJson, actor }: StartRequest, id: string, { place }: { place: StartPlace }): Promise<PreparedRun> => ({
      run: { id, target: place.target, inputJson, actor, retryOf: null, concurrencyKey: null, reason: null },
      place,
    }),
  };
  const options = { groupMax: 10, pendingMax: 10, lanes: 1, connections: [connection], keyed: connection };
  const told: number[] = [];
  const submitter = new RunSubmitter(
    options,
    preparer,
    new StartableWorkflows(),
    new RunIds(),
    { findMany: async () => [] },
    { tell: (created) => void told.push(...created.map(({ run }) => run.target.workflowVersion)) },
    new ApiMetrics(createMetrics('api')),
  );
  const start = () =>
    submitter.submit({ workflowId: WORKFLOW_ID, input: {}, inputJson: '{}', idempotencyKey: null, actor: 'ann' }).then(({ run }) => run);
  const statements = () => sent.splice(0);
  return { workflow, start, statements, versions, told };
}

const unused = {
  plan: { steps: [], roots: [], runTimeoutSeconds: null, priority: 0, concurrency: null },
  faultsOf: null,
  stepsByName: new Map(),
  sinks: [],
};

function placeOf(workflow: StartableWorkflow): StartPlace {
  const target: RunTarget = {
    ...{ workflowId: workflow.id, workflowVersion: workflow.version, environment: workflow.environment, team: workflow.team },
    ...{ deploymentId: deployment.id, matchedBy: 'environment', stepCount: 1, timeoutSeconds: null, priority: 0, concurrencyLimit: null },
  };
  const resolved = { ...deployment, environment: 'production', team: null, namespace: 'a-namespace', concurrencyLimit: null };
  return { workflow, target, resolution: { deployment: resolved, matchedBy: 'environment', tried: [] } };
}

describe('a submit', () => {
  it('costs one statement when the database has been asked before', async () => {
    const { start, statements } = given();
    await start();
    expect(statements()).toEqual(['run_ids_take', 'workflows_startable', 'runs_submit']);
    await Promise.all([start(), start(), start()]);
    expect(statements()).toEqual(['runs_submit']);
  });

  it('is of the version that was published elsewhere in the meantime', async () => {
    const { workflow, start, statements, versions, told } = given();
    await start();
    statements();
    workflow.version = 2;
    expect((await start()).workflowVersion).toBe(2);
    expect(statements()).toEqual(['runs_submit', 'workflows_startable', 'runs_submit']);
    await start();
    expect(statements()).toEqual(['runs_submit']);
    expect([versions, told]).toEqual([
      [1, 2, 2],
      [1, 2, 2],
    ]);
  });

  it('is refused or taken by what its workflow is now, whatever is remembered', async () => {
    const { workflow, start, statements } = given({ enabled: false });
    await expect(start()).rejects.toMatchObject({ code: 'workflow.disabled' });
    workflow.enabled = true;
    await start();
    workflow.enabled = false;
    statements();
    await expect(start()).rejects.toMatchObject({ code: 'workflow.disabled' });
    expect(statements()).toEqual(['runs_submit', 'workflows_startable']);
  });
});
