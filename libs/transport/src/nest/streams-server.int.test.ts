import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { type RedisServer, eventually, startRedis } from '#testing';
import { GROUP, consuming } from '../../conformance/harness.ts';
import { InProcessStreamTransport } from '../in-process/in-process-stream-transport.ts';
import { StreamBroker } from '../in-process/stream-broker.ts';
import { RedisStreamTransport } from '../redis/redis-stream-transport.ts';
import type { StreamTransport } from '../stream-transport.ts';
import { BatchFailure } from '../transport-error.ts';
import { type StreamBatch, StreamContext } from './stream-batch.ts';
import { StreamsClient } from './streams-client.ts';
import { StreamsFilter } from './streams-filter.ts';
import { STREAMS, StreamsServer } from './streams-server.ts';

const seen: string[] = [];

@Controller()
class Orders {
  @EventPattern<string>('orders', STREAMS)
  @UseFilters(StreamsFilter)
  async take(@Payload() batch: StreamBatch, @Ctx() context: StreamContext): Promise<void> {
    seen.push(...batch.deliveries.map(({ stream, body }) => `${context.family} ${stream} ${body}`));
    const bad = batch.deliveries.filter(({ body }) => body === 'bad');
    if (bad.length > 0) throw new BatchFailure(new Map(bad.map((delivery) => [delivery, 'a bad order'])));
    await Promise.resolve();
  }
}

@Module({ controllers: [Orders] })
class Shop {}

const family = { ...consuming([], { handle: () => Promise.resolve() }), deliveriesMax: 2 };

describe.each(['in process', 'redis'])('a Nest microservice on streams, %s', (kind) => {
  let redis: RedisServer | undefined;
  let transport: StreamTransport;
  let server: StreamsServer;
  let app: INestMicroservice;

  beforeAll(async () => {
    if (kind === 'redis') redis = await startRedis();
    transport = redis === undefined ? new InProcessStreamTransport(new StreamBroker()) : new RedisStreamTransport({ url: redis.url });
    server = new StreamsServer({ transport, families: { orders: family }, streams: { orders: ['orders:north'] } });
    app = await NestFactory.createMicroservice(Shop, { strategy: server, logger: ['error'] });
    await app.listen();
    seen.length = 0;
  });
  afterAll(async () => {
    await app.close();
    await transport.close();
    await redis?.stop();
  });

  it('hands batches to @EventPattern handlers and acknowledges after them', async () => {
    const client = new StreamsClient(transport);
    await lastValueFrom(client.emit('orders:north', 'one'));
    await lastValueFrom(client.emit('orders:north', { two: 2 }));
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['orders orders:north one', 'orders orders:north {"two":2}']);
    await eventually(async () => (await transport.depth('orders:north', GROUP)).length === 0);
  });

  it('serves other streams of a family from the moment it is told', async () => {
    await server.setStreams('orders', ['orders:north', 'orders:south']);
    await transport.add([{ stream: 'orders:south', body: 'three' }]);
    await eventually(() => seen.includes('orders orders:south three'));
  });

  it('carries the reasons of a handler to the dead letters', async () => {
    await transport.add(['good', 'bad'].map((body) => ({ stream: 'orders:north', body })));
    const [letter] = await eventually(async () => {
      const letters = await transport.deadLetters('orders:north', { count: 1 });
      return letters.length > 0 && letters;
    });
    expect(letter).toMatchObject({ body: 'bad', reason: 'a bad order', deliveries: 2 });
    expect(seen.filter((line) => line.endsWith('good'))).toHaveLength(1);
  });

  it('gives no answers to send', async () => {
    const client = new StreamsClient(transport);
    await expect(lastValueFrom(client.send('orders:north', 'answer me'))).rejects.toMatchObject({ code: 'transport.one_way' });
  });

  it('refuses to start a family without options', async () => {
    const strategy = new StreamsServer({ transport, families: {} });
    const other = await NestFactory.createMicroservice(Shop, { strategy, logger: false });
    await expect(other.listen()).rejects.toMatchObject({ code: 'transport.bad_option' });
    await other.close();
  });
});
