import { Body, Controller, Get, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  AppliedWorkflow,
  ApplyWorkflow,
  ChangeWorkflow,
  VersionsQuery,
  Workflow,
  WorkflowPage,
  WorkflowVersion,
  WorkflowVersionPage,
  WorkflowsQuery,
} from '#contracts';
import type { Principal } from '#core';
import { Allow, Caller } from '../auth/access.ts';
import { checked } from '../http/checked.ts';
import { Describe } from '../openapi/describe.ts';
import { ApplyBody } from './apply-body.ts';
import { WorkflowPublisher } from './workflow-publisher.ts';
import { WorkflowReader } from './workflow-reader.ts';

@Controller('api/v1/workflows')
export class WorkflowsController {
  constructor(
    private readonly publisher: WorkflowPublisher,
    private readonly reader: WorkflowReader,
  ) {}

  @Post()
  @Allow('workflow:write')
  @Describe({
    summary: 'Publish a definition: a new workflow, its next version, or nothing when it is the current one',
    body: ApplyWorkflow,
    bodyTypes: ['application/yaml'],
    answers: { 201: AppliedWorkflow, 200: AppliedWorkflow },
    errors: [413, 415, 422],
  })
  async apply(@ApplyBody() body: ApplyWorkflow, @Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    const applied = await this.publisher.apply(body, caller);
    reply.status(!applied.dryRun && ['created', 'new_version'].includes(applied.outcome) ? 201 : 200);
    return applied;
  }

  @Get()
  @Allow('workflow:read')
  @Describe({ summary: 'List workflows, oldest first', query: WorkflowsQuery, answers: { 200: WorkflowPage }, errors: [] })
  list(@Query(checked(WorkflowsQuery)) query: WorkflowsQuery) {
    return this.reader.list(query);
  }

  @Get(':id')
  @Allow('workflow:read')
  @Describe({ summary: 'Read a workflow', answers: { 200: Workflow }, errors: [404] })
  get(@Param('id') id: string) {
    return this.reader.get(id);
  }

  @Patch(':id')
  @Allow('workflow:write')
  @Describe({
    summary: 'Enable, label or move a workflow; counts from the next run',
    body: ChangeWorkflow,
    answers: { 200: Workflow },
    errors: [404, 409],
  })
  change(@Param('id') id: string, @Body(checked(ChangeWorkflow)) change: ChangeWorkflow, @Caller() caller: Principal) {
    return this.reader.change(id, change, caller);
  }

  @Get(':id/versions')
  @Allow('workflow:read')
  @Describe({
    summary: 'List the versions of a workflow, newest first',
    query: VersionsQuery,
    answers: { 200: WorkflowVersionPage },
    errors: [404],
  })
  versions(@Param('id') id: string, @Query(checked(VersionsQuery)) query: VersionsQuery) {
    return this.reader.versions(id, query);
  }

  @Get(':id/versions/:version')
  @Allow('workflow:read')
  @Describe({ summary: 'Read a version with its definition', answers: { 200: WorkflowVersion }, errors: [404] })
  version(@Param('id') id: string, @Param('version') version: string) {
    return this.reader.version(id, version);
  }
}
