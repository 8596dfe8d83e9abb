import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  type CustomStrategy,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom, from, lastValueFrom, timeout, toArray } from 'rxjs';
import { type RedisServer, eventually, startRedis } from '#testing';
import { InProcessPubSubClient } from './pubsub-client.ts';
import { InProcessHub } from './pubsub-hub.ts';
import { InProcessPubSubServer } from './pubsub-server.ts';

const heard: unknown[] = [];

@Controller()
class Weather {
  @EventPattern<string>('storm', Transport.REDIS)
  storm(@Payload() where: unknown): void {
    heard.push(where);
  }

  @MessagePattern<string>('double', Transport.REDIS)
  double(@Payload() { value }: { value: number }): number {
    return value * 2;
  }

  @MessagePattern<string>('many', Transport.REDIS)
  many() {
    return from([1, 2, 3]);
  }

  @MessagePattern<string>('fail', Transport.REDIS)
  fail(): never {
    throw new RpcException({ code: 'weather.unknown' });
  }
}

@Module({ controllers: [Weather] })
class Station {}

/** The same expectations for Nest's own Redis transport and for its twin: the twin is held to what Nest does. */
describe.each(['Nest on Redis', 'in process'])('publish and subscribe, %s', (kind) => {
  let redis: RedisServer | undefined;
  let strategies: readonly (MicroserviceOptions | CustomStrategy)[];
  let client: ClientProxy;
  const stations: INestMicroservice[] = [];

  beforeAll(async () => {
    if (kind === 'in process') {
      const hub = new InProcessHub();
      strategies = [{ strategy: new InProcessPubSubServer(hub) }, { strategy: new InProcessPubSubServer(hub) }];
      client = new InProcessPubSubClient(hub);
    } else {
      redis = await startRedis();
      const options = { host: '127.0.0.1', port: redis.port };
      strategies = [
        { transport: Transport.REDIS, options },
        { transport: Transport.REDIS, options },
      ];
      client = ClientProxyFactory.create({ transport: Transport.REDIS, options });
    }
    for (const strategy of strategies) {
      const station = await NestFactory.createMicroservice<MicroserviceOptions>(Station, { ...strategy, logger: false });
      await station.listen();
      stations.push(station);
    }
    await client.connect();
  });
  afterAll(async () => {
    await client.close();
    await Promise.all(stations.map((station) => station.close()));
    await redis?.stop();
  });

  it('tells an event to every subscriber, as a copy', async () => {
    heard.length = 0;
    const where = { town: 'Brest', at: new Date(0) };
    await lastValueFrom(client.emit('storm', where), { defaultValue: undefined });
    await eventually(() => heard.length === 2);
    expect(heard).toEqual([
      { town: 'Brest', at: '1970-01-01T00:00:00.000Z' },
      { town: 'Brest', at: '1970-01-01T00:00:00.000Z' },
    ]);
    expect(heard[0]).not.toBe(heard[1]);
  });

  it('answers requests, each with its own answer', async () => {
    const answers = await Promise.all([1, 2, 3].map((value) => firstValueFrom(client.send('double', { value }))));
    expect(answers).toEqual([2, 4, 6]);
  });

  it('carries errors of a handler to the one who asked', async () => {
    await expect(firstValueFrom(client.send('fail', {}))).rejects.toEqual({ code: 'weather.unknown' });
  });

  it('never answers what nobody serves', async () => {
    await expect(firstValueFrom(client.send('nobody', {}).pipe(timeout(100)))).rejects.toThrow(/Timeout/);
  });

  it('loses what is told while nobody listens', async () => {
    await lastValueFrom(client.emit('unheard', 'x'), { defaultValue: undefined });
    expect(await firstValueFrom(client.send('double', { value: 4 }))).toBe(8);
  });
});

describe('publish and subscribe within one process', () => {
  it('passes on every value of an answer and then completes', async () => {
    const hub = new InProcessHub();
    const station = await NestFactory.createMicroservice(Station, { strategy: new InProcessPubSubServer(hub), logger: false });
    await station.listen();
    const client = new InProcessPubSubClient(hub);
    expect(await lastValueFrom(client.send('many', {}).pipe(toArray()))).toEqual([1, 2, 3]);
    await station.close();
  });

  it('ends open requests when the client closes', async () => {
    const client = new InProcessPubSubClient(new InProcessHub());
    const asked = firstValueFrom(client.send('nobody', {}));
    await new Promise((resolve) => setImmediate(resolve));
    client.close();
    await expect(asked).rejects.toMatchObject({ code: 'transport.closed' });
  });
});
