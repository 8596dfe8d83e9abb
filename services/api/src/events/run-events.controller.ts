import { Controller, Get, Headers, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '#core';
import { Allow } from '../auth/access.ts';
import { Describe } from '../openapi/describe.ts';
import { RunReader } from '../runs/run-reader.ts';
import { writeEvents } from './event-stream.ts';
import { OpenStreams } from './open-streams.ts';
import { RunFollower } from './run-follower.ts';

@Controller('api/v1/runs')
export class RunEventsController {
  constructor(
    private readonly reader: RunReader,
    private readonly follower: RunFollower,
    private readonly streams: OpenStreams,
  ) {}

  @Get(':id/events')
  @Allow('run:read')
  @Describe({
    summary: 'Follow the transitions of a run; resumes behind Last-Event-ID, ends with the run',
    answers: { 200: null },
    errors: [404],
  })
  async events(
    @Param('id') runId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const after = seqOf(lastEventId);
    await this.reader.find(runId);
    const stream = this.streams.open();
    // Without a wait for the reader's end, his connection would be followed until the run ends.
    request.raw.socket.once('close', stream.close);
    reply.hijack();
    try {
      await writeEvents(reply.raw, this.follower.follow(runId, after, stream.signal), stream.signal);
    } catch {
      // The head was sent: the reader sees the connection break, and resumes by Last-Event-ID.
      reply.raw.destroy();
    } finally {
      request.raw.socket.off('close', stream.close);
      stream.close();
    }
  }
}

function seqOf(header: string | undefined): number {
  if (header === undefined || header === '') return 0;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new DomainError(
    'api.header_invalid',
    'The header Last-Event-ID is not one of this stream.',
    {},
    'Send the id of the last event you got, or none.',
  );
}
