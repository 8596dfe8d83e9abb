import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Public } from '../auth/access.ts';
import { OPENAPI } from '../tokens.ts';
import { Describe } from './describe.ts';
import { JsonObject } from '#contracts';

@Controller('api')
export class OpenApiController {
  private text: string | undefined;

  /** `describe` takes tens of milliseconds: it is called by the first who asks, and does not hold up the start. */
  constructor(@Inject(OPENAPI) private readonly describe: () => object) {}

  @Get('openapi.json')
  @Public()
  @Header('content-type', 'application/json; charset=utf-8')
  @Describe({ summary: 'This description', answers: { 200: JsonObject }, errors: [] })
  document() {
    this.text ??= JSON.stringify(this.describe());
    return this.text;
  }
}
