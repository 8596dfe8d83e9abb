import { Controller, Get, HttpCode, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Health } from '#contracts';
import { type ReadinessCheck, evaluateReadiness, readinessCode } from '#telemetry';
import { Public } from '../auth/access.ts';
import { Describe } from '../openapi/describe.ts';
import { READINESS_CHECKS } from '../tokens.ts';

@Controller()
export class HealthController {
  constructor(@Inject(READINESS_CHECKS) private readonly checks: Readonly<Record<string, ReadinessCheck>>) {}

  @Get('health')
  @HttpCode(200)
  @Public()
  @Describe({ summary: 'The process lives', answers: { 200: Health }, errors: [] })
  health() {
    return { status: 'ok', checks: {} };
  }

  @Get(['ready', 'api/health/workflows'])
  @Public()
  @Describe({
    summary: 'Whether requests can be served: 503 without PostgreSQL, degraded without Redis',
    answers: { 200: Health, 503: Health },
    errors: [],
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const readiness = await evaluateReadiness(this.checks);
    reply.status(readinessCode(readiness)).header('cache-control', 'no-store');
    return readiness;
  }
}
