import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiKey, ApiKeyPage, ApiKeysQuery, CreateApiKey, CreatedApiKey } from '#contracts';
import { DomainError, type Principal } from '#core';
import { ApiKeyStore } from '#store';
import { Allow, Caller } from '../auth/access.ts';
import { KeyRing, hashOf, newToken } from '../auth/key-ring.ts';
import { checked } from '../http/checked.ts';
import { cursorOf, idFrom, isId, pageFrom } from '../http/cursor.ts';
import { Describe } from '../openapi/describe.ts';

@Controller('api/v1/api-keys')
export class ApiKeysController {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly keyRing: KeyRing,
  ) {}

  @Post()
  @Allow('api-key:manage')
  @Describe({
    summary: 'Make a key; this answer is the only one that shows it',
    body: CreateApiKey,
    answers: { 201: CreatedApiKey },
    errors: [],
  })
  async create(@Body(checked(CreateApiKey)) { name, role, expiresAt }: CreateApiKey, @Caller() caller: Principal) {
    const key = newToken();
    const row = await this.keys.add({
      name,
      role,
      hash: hashOf(key),
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
      createdBy: caller.name,
    });
    return { ...row, key };
  }

  @Get()
  @Allow('api-key:manage')
  @Describe({ summary: 'List keys', query: ApiKeysQuery, answers: { 200: ApiKeyPage }, errors: [] })
  async list(@Query(checked(ApiKeysQuery)) { cursor, limit }: ApiKeysQuery) {
    const read = await this.keys.list(idFrom('api-key', cursor), limit + 1);
    return pageFrom(read, limit, (last) => cursorOf('api-key', last.id));
  }

  @Delete(':id')
  @Allow('api-key:manage')
  @Describe({ summary: 'Revoke a key; other replicas follow within seconds', answers: { 200: ApiKey }, errors: [404] })
  async revoke(@Param('id') id: string) {
    const key = isId(id) ? await this.keys.revoke(id) : undefined;
    if (!key)
      throw new DomainError('api_key.unknown', 'There is no such key.', { id: id.slice(0, 100) }, 'GET /api/v1/api-keys lists them.');
    this.keyRing.forget();
    return key;
  }
}
