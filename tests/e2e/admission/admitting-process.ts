/**
 * A scheduler that admits without asking whether it leads, and ends the steps that it was given: one of several at once, as when leases
 * overlap. Arguments: the database's URL, the limit of runs per deployment. Says `admitting` and goes on until it is ended.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import { TaskMessage, groups, streams } from '#contracts';
import type { RunEvent } from '#core';
import { createEvaluator } from '#definitions';
import { AdmissionReader, DecisionWriter, HotConnection, RunReader, readEpoch } from '#store';
import { createLogger, createMetrics } from '#telemetry';
import { InProcessHub, InProcessPubSubClient, InProcessStreamTransport, StreamBroker } from '#transport';
import { AdmissionService } from '../../../services/scheduler/src/admission/admission.service.ts';
import { AdvanceMetrics } from '../../../services/scheduler/src/advance/advance-metrics.ts';
import { AdvanceService } from '../../../services/scheduler/src/advance/advance.service.ts';
import { DecisionMaker } from '../../../services/scheduler/src/advance/decision-maker.ts';
import { RunEvaluator } from '../../../services/scheduler/src/advance/run-evaluator.ts';
import { TaskSender } from '../../../services/scheduler/src/advance/task-sender.ts';
import { DeploymentDirectory } from '../../../services/scheduler/src/deployments/deployment-directory.ts';
import { PlanCache } from '../../../services/scheduler/src/plans/plan-cache.ts';

const PER_QUEUE = 50;
const [url = '', limit = '20'] = process.argv.slice(2);
const logger = await createLogger({ service: 'admitting', level: 'warn' });
const [reading, writing, keeping] = ['read', 'write', 'keep'].map((name) => new HotConnection(url, `admitting-${name}`));
if (!reading || !writing || !keeping) throw new Error('no connections');
const epoch = await readEpoch(keeping);
const transport = new InProcessStreamTransport(new StreamBroker());
const deployments = new DeploymentDirectory(keeping, Number(limit));
const plans = new PlanCache(reading);
const reader = new RunReader(reading);
const maker = new DecisionMaker(reader, plans, new RunEvaluator(reader, createEvaluator()), {
  epoch,
  workerLossesMax: 3,
  silentLossesMax: 20,
});
const sender = new TaskSender(transport, new InProcessPubSubClient(new InProcessHub()), deployments, epoch, logger);
const advance = new AdvanceService(maker, new DecisionWriter(writing, epoch), sender, new AdvanceMetrics(createMetrics('admitting')));
const admission = new AdmissionService(new AdmissionReader(keeping), reader, plans, advance, deployments, PER_QUEUE);

await deployments.refresh();
transport.consume({
  group: groups.workers,
  consumer: 'only',
  streams: deployments.names.map(streams.tasks),
  batchMax: 10,
  inFlightMax: 10,
  reclaimIdleMs: 60_000,
  reclaimEveryMs: 60_000,
  deliveriesMax: 5,
  deadLetterLengthMax: 10,
  acknowledge: 'auto',
  handle: async (batch) => {
    for (const { stream, body } of batch) {
      const task = TaskMessage.parse(JSON.parse(body));
      const from = deployments.idOf(stream.slice(streams.tasks('').length)) ?? '';
      const token = { epoch: task.epoch, dispatchNo: task.dispatchNo };
      const ended: RunEvent = {
        kind: 'ended',
        causeId: randomUUID(),
        actor: 'test',
        stepNo: task.stepNo,
        token,
        from,
        outcome: 'succeeded',
        ranMs: 1,
        output: null,
        error: null,
        dice: 0,
      };
      await advance.advance(new Map([[task.runId, [ended]]]));
    }
  },
});
console.log('admitting');
for (;;) {
  await admission.admitAll();
  await rest(2);
}
