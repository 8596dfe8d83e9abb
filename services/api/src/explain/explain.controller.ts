import { Controller, Get, Param } from '@nestjs/common';
import { Explanation } from '#contracts';
import { Allow } from '../auth/access.ts';
import { Describe } from '../openapi/describe.ts';
import { RunExplainer } from './run-explainer.ts';

@Controller('api/v1/runs')
export class ExplainController {
  constructor(private readonly explainer: RunExplainer) {}

  @Get(':id/explain')
  @Allow('run:read')
  @Describe({ summary: 'Why a run is where it is', answers: { 200: Explanation }, errors: [404] })
  explain(@Param('id') runId: string) {
    return this.explainer.explain(runId);
  }
}
