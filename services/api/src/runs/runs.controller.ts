import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  BATCH_ITEMS_MAX,
  IDEMPOTENCY_HEADER,
  LogPage,
  LogsQuery,
  RunCommand,
  RunDetail,
  RunPage,
  RunSummary,
  RunsQuery,
  StartRun,
  StartRunOf,
  StartRunsBatch,
  StartedRunsBatch,
  StepDetail,
  StepPage,
  StepsQuery,
  TransitionPage,
  TransitionsQuery,
} from '#contracts';
import type { Principal } from '#core';
import { Allow, Caller } from '../auth/access.ts';
import { checked } from '../http/checked.ts';
import { Describe } from '../openapi/describe.ts';
import { BatchStarter } from './batch-starter.ts';
import { RunCommands } from './run-commands.ts';
import { RunReader } from './run-reader.ts';
import { RunStarter } from './run-starter.ts';

@Controller('api/v1')
export class RunsController {
  constructor(
    private readonly starter: RunStarter,
    private readonly batches: BatchStarter,
    private readonly reader: RunReader,
    private readonly commands: RunCommands,
  ) {}

  @Post('workflows/:id/runs')
  @Allow('run:start')
  @Describe({
    summary: 'Start a run of a workflow',
    body: StartRun,
    answers: { 201: RunSummary, 200: RunSummary },
    idempotent: true,
    errors: [404, 409, 413, 422, 503],
  })
  async startOf(
    @Param('id') workflowId: string,
    @Body(checked(StartRun)) body: StartRun,
    @Headers(IDEMPOTENCY_HEADER) key: string | undefined,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { run, repeated } = await this.starter.start(workflowId, body.input, key, caller);
    reply.status(repeated ? 200 : 201);
    return run;
  }

  @Post('runs')
  @Allow('run:start')
  @Describe({
    summary: 'Start a run of the workflow that the body names',
    body: StartRunOf,
    answers: { 201: RunSummary, 200: RunSummary },
    idempotent: true,
    errors: [404, 409, 413, 422, 503],
  })
  async start(
    @Body(checked(StartRunOf)) body: StartRunOf,
    @Headers(IDEMPOTENCY_HEADER) key: string | undefined,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { run, repeated } = await this.starter.start(body.workflowId, body.input, key, caller);
    reply.status(repeated ? 200 : 201);
    return run;
  }

  // Fastify reads `:` as the beginning of a parameter; doubled, it is itself.
  @Post('runs::batch')
  @HttpCode(200)
  @Allow('run:start')
  @Describe({
    summary: `Start up to ${BATCH_ITEMS_MAX} runs, each for itself`,
    body: StartRunsBatch,
    answers: { 200: StartedRunsBatch },
    errors: [413, 503],
  })
  startBatch(@Body(checked(StartRunsBatch)) body: StartRunsBatch, @Caller() caller: Principal) {
    return this.batches.start(body, caller);
  }

  @Get('workflows/:id/runs')
  @Allow('run:read')
  @Describe({ summary: 'List the runs of a workflow, newest first', query: RunsQuery, answers: { 200: RunPage }, errors: [] })
  listOf(@Param('id') workflowId: string, @Query(checked(RunsQuery.omit({ workflowId: true }))) query: Omit<RunsQuery, 'workflowId'>) {
    return this.reader.listOf(workflowId, query);
  }

  @Get('runs')
  @Allow('run:read')
  @Describe({ summary: 'List runs, newest first', query: RunsQuery, answers: { 200: RunPage }, errors: [] })
  list(@Query(checked(RunsQuery)) query: RunsQuery) {
    return this.reader.list(query);
  }

  @Get('runs/:id')
  @Allow('run:read')
  @Describe({ summary: 'Read a run with its input and output', answers: { 200: RunDetail }, errors: [404] })
  get(@Param('id') runId: string) {
    return this.reader.detail(runId);
  }

  @Get('runs/:id/steps')
  @Allow('run:read')
  @Describe({ summary: 'List the steps of a run in the order of its plan', query: StepsQuery, answers: { 200: StepPage }, errors: [404] })
  steps(@Param('id') runId: string, @Query(checked(StepsQuery)) query: StepsQuery) {
    return this.reader.steps(runId, query);
  }

  @Get('runs/:id/steps/:step')
  @Allow('run:read')
  @Describe({ summary: 'Read a step, by name or number, with its output', answers: { 200: StepDetail }, errors: [404] })
  step(@Param('id') runId: string, @Param('step') step: string) {
    return this.reader.step(runId, step);
  }

  @Get('runs/:id/transitions')
  @Allow('run:read')
  @Describe({
    summary: 'List the audited transitions of a run and its steps, oldest first',
    query: TransitionsQuery,
    answers: { 200: TransitionPage },
    errors: [404],
  })
  transitions(@Param('id') runId: string, @Query(checked(TransitionsQuery)) query: TransitionsQuery) {
    return this.reader.transitions(runId, query);
  }

  @Get('runs/:id/logs')
  @Allow('run:read')
  @Describe({ summary: 'List what the steps of a run logged', query: LogsQuery, answers: { 200: LogPage }, errors: [404] })
  logs(@Param('id') runId: string, @Query(checked(LogsQuery)) query: LogsQuery) {
    return this.reader.logs(runId, query);
  }

  @Post('runs/:id/cancel')
  @HttpCode(202)
  @Allow('run:control')
  @Describe({ summary: 'Cancel a run', body: RunCommand, answers: { 202: RunSummary }, errors: [404, 409] })
  cancel(@Param('id') runId: string, @Body(checked(RunCommand)) body: RunCommand, @Caller() caller: Principal) {
    return this.commands.cancel(runId, body, caller);
  }

  @Post('runs/:id/retry')
  @HttpCode(201)
  @Allow('run:control')
  @Describe({ summary: 'Start an ended run over as a new run', body: RunCommand, answers: { 201: RunSummary }, errors: [404, 409] })
  retry(@Param('id') runId: string, @Body(checked(RunCommand)) body: RunCommand, @Caller() caller: Principal) {
    return this.commands.retry(runId, body, caller);
  }
}
