import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Public } from '../auth/access.ts';
import { OPENAPI_TEXT } from '../tokens.ts';
import { Describe } from './describe.ts';
import { JsonObject } from '#contracts';

@Controller('api')
export class OpenApiController {
  constructor(@Inject(OPENAPI_TEXT) private readonly text: string) {}

  @Get('openapi.json')
  @Public()
  @Header('content-type', 'application/json; charset=utf-8')
  @Describe({ summary: 'This description', answers: { 200: JsonObject }, errors: [] })
  document() {
    return this.text;
  }
}
