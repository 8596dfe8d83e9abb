import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ExecuteWorkflow, ExecutionStarted, IDEMPOTENCY_HEADER, WorkflowPage, WorkflowsQuery } from '#contracts';
import type { Principal } from '#core';
import { Allow, Caller } from '../auth/access.ts';
import { checked } from '../http/checked.ts';
import { Describe } from '../openapi/describe.ts';
import { RunStarter } from '../runs/run-starter.ts';
import { WorkflowReader } from './workflow-reader.ts';

/** The paths from before `/api/v1`, on the same services. */
@Controller('api/workflows')
export class OlderPathsController {
  constructor(
    private readonly reader: WorkflowReader,
    private readonly starter: RunStarter,
  ) {}

  @Get()
  @Allow('workflow:read')
  @Describe({ summary: 'List workflows', query: WorkflowsQuery, answers: { 200: WorkflowPage }, errors: [], deprecated: true })
  list(@Query(checked(WorkflowsQuery)) query: WorkflowsQuery) {
    return this.reader.list(query);
  }

  @Post([':id/run', ':id/execute'])
  @Allow('run:start')
  @Describe({
    summary: 'Start a run of a workflow',
    body: ExecuteWorkflow,
    answers: { 201: ExecutionStarted, 200: ExecutionStarted },
    idempotent: true,
    errors: [404, 409, 413, 422, 503],
    deprecated: true,
  })
  async execute(
    @Param('id') workflowId: string,
    @Body(checked(ExecuteWorkflow)) body: ExecuteWorkflow,
    @Headers(IDEMPOTENCY_HEADER) key: string | undefined,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { run, repeated } = await this.starter.start(workflowId, body.triggerData ?? {}, key, caller);
    reply.status(repeated ? 200 : 201);
    return { ...run, executionId: run.id };
  }
}
