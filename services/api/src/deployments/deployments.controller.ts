import { Controller, Get, Query } from '@nestjs/common';
import { DeploymentPage, DeploymentsQuery, Resolution, ResolveQuery } from '#contracts';
import { DeploymentStore } from '#store';
import { Allow } from '../auth/access.ts';
import { checked } from '../http/checked.ts';
import { cursorOf, idFrom, pageFrom } from '../http/cursor.ts';
import { Describe } from '../openapi/describe.ts';
import { DeploymentDirectory } from './deployment-directory.ts';

@Controller('api/v1/deployments')
export class DeploymentsController {
  constructor(
    private readonly deployments: DeploymentStore,
    private readonly directory: DeploymentDirectory,
  ) {}

  @Get()
  @Allow('deployment:read')
  @Describe({ summary: 'List deployments', query: DeploymentsQuery, answers: { 200: DeploymentPage }, errors: [] })
  async list(@Query(checked(DeploymentsQuery)) { cursor, limit, ...filter }: DeploymentsQuery) {
    const read = await this.deployments.list(filter, idFrom('deployment', cursor), limit + 1);
    return pageFrom(read, limit, (last) => cursorOf('deployment', last.id));
  }

  @Get('resolve')
  @Allow('deployment:read')
  @Describe({
    summary: 'Which deployment an environment and team get, and which rules were tried',
    query: ResolveQuery,
    answers: { 200: Resolution },
    errors: [422],
  })
  async resolve(@Query(checked(ResolveQuery)) query: ResolveQuery) {
    const environment = query.environment ?? null;
    const team = query.team ?? null;
    const { deployment, matchedBy, tried } = await this.directory.resolve(environment, team);
    const { id, name, pool } = deployment;
    return { environment: this.directory.environmentOf(environment, team), team, deployment: { id, name, pool }, matchedBy, tried };
  }
}
