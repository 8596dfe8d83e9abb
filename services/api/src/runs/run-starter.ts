import { idempotencyKey } from '#contracts';
import { DomainError, type Json, type Principal } from '#core';
import { isId } from '../http/cursor.ts';
import { unknownWorkflow } from './run-preparer.ts';
import type { RunSubmitter } from './run-submitter.ts';
import type { StartedRun } from './started-run.ts';
import { storableJson } from './storable.ts';

/** Starts single runs. */
export class RunStarter {
  constructor(private readonly submitter: RunSubmitter) {}

  /** Throws what `RunSubmitter.submit` throws, `run.input_too_large`, `run.input_unstorable`, `api.header_invalid`. */
  async start(
    workflowId: string,
    input: { readonly [key: string]: Json },
    key: string | undefined,
    caller: Principal,
  ): Promise<StartedRun> {
    if (!isId(workflowId)) throw unknownWorkflow(workflowId);
    const inputJson = storableJson(input);
    return this.submitter.submit({ workflowId, input, inputJson, idempotencyKey: checkedKey(key), actor: caller.name });
  }
}

function checkedKey(key: string | undefined): string | null {
  if (key === undefined) return null;
  const parsed = idempotencyKey.safeParse(key);
  if (parsed.success) return parsed.data;
  throw new DomainError(
    'api.header_invalid',
    `The header Idempotency-Key is invalid: ${parsed.error.issues[0]?.message ?? ''}.`,
    {},
    'Send 1 to 200 visible ASCII characters, for example a UUID.',
  );
}
