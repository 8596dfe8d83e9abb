/** A step process: loads handlers once, then runs the steps that its worker hands it. Started by `StepProcess`, never by hand. */
import { loadConnectors } from '#connectors';
import type { StepHandler } from '#sdk';
import { ProcessSetup, type FromProcess, type ToProcess } from '../processes/process-messages.ts';
import { loadHandlers, provideSdk } from './handler-modules.ts';
import { endWithParent } from './orphan-watch.ts';
import { StepExecution } from './step-execution.ts';
import { captureOutput } from './step-output.ts';

const executions = new Map<number, StepExecution>();
const send = (message: FromProcess): void => {
  if (process.connected) process.send?.(message);
};

const setup = ProcessSetup.parse(JSON.parse(process.argv[2] ?? ''));

endWithParent(setup.parent);
captureOutput();
// Ctrl-C and a stop of the whole group reach every process: the worker decides when its steps end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const handlers = await load();
if (handlers) {
  process.on('message', (message: ToProcess) => take(message, handlers));
  send({ kind: 'ready', handlers: [...handlers.values()].map(({ name, heartbeatTimeoutSeconds }) => ({ name, heartbeatTimeoutSeconds })) });
}

async function load(): Promise<Map<string, StepHandler> | undefined> {
  try {
    provideSdk();
    const connectors = setup.connectors ? await loadConnectors(setup.connectors) : [];
    const handlers = await loadHandlers(setup.modules, setup.folder);
    for (const connector of connectors) handlers.set(connector.name, connector);
    return handlers;
  } catch (error) {
    send({ kind: 'unloadable', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    process.exitCode = 1;
    process.disconnect();
    return undefined;
  }
}

function take(message: ToProcess, handlers: ReadonlyMap<string, StepHandler>): void {
  if (message.kind === 'abort') {
    executions.get(message.id)?.abort(message.reason);
    return;
  }
  const { id, assignment } = message;
  const execution = new StepExecution(id, assignment, send);
  executions.set(id, execution);
  void execution.run(handlers.get(assignment.uses)).finally(() => executions.delete(id));
}
