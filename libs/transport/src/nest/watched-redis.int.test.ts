import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, type MicroserviceOptions, Payload, Transport } from '@nestjs/microservices';
import { type RedisServer, TcpProxy, eventually, startRedis } from '#testing';
import { pubSubOptions } from './pubsub-options.ts';
import { WatchedRedisClient, WatchedRedisServer } from './watched-redis.ts';

const heard = new Set<number>();

@Controller()
class Weather {
  @EventPattern<string>('storm', Transport.REDIS)
  storm(@Payload() no: number): void {
    heard.add(no);
  }
}

@Module({ controllers: [Weather] })
class WeatherModule {}

describe("Nest's Redis transport on a link that falls silent", () => {
  let redis: RedisServer;
  let [toServer, toClient]: TcpProxy[] = [];
  let server: WatchedRedisServer;
  let client: WatchedRedisClient;
  let app: INestMicroservice;
  const lane = (proxy: TcpProxy | undefined): TcpProxy => {
    if (!proxy) throw new Error('The proxies are not open.');
    return proxy;
  };

  beforeAll(async () => {
    redis = await startRedis({ own: true });
    [toServer, toClient] = await Promise.all([TcpProxy.listen(redis.port), TcpProxy.listen(redis.port)]);
    server = new WatchedRedisServer(pubSubOptions(lane(toServer).url));
    client = new WatchedRedisClient(pubSubOptions(lane(toClient).url));
    app = await NestFactory.createMicroservice<MicroserviceOptions>(WeatherModule, { strategy: server, logger: false });
    await app.listen();
  });
  afterAll(async () => {
    // Both must end, though nobody answers their goodbye.
    for (const proxy of [toServer, toClient]) lane(proxy).blackhole();
    await Promise.all([app.close(), client.close()]);
    await Promise.all([lane(toServer).close(), lane(toClient).close()]);
    await redis.stop();
  });

  let no = 0;
  const isHeard = async () => {
    no += 1;
    const mine = no;
    await client.announce('storm', mine);
    await eventually(() => heard.has(mine), { within: 500 });
    return true;
  };
  const patiently = { within: 15_000, what: 'an event to be heard' };

  it('has a subscriber that asks nothing notice it, and hear again when the link is back', async () => {
    await eventually(isHeard, patiently);
    expect([server.isAlive, client.isAlive]).toEqual([true, true]);
    lane(toServer).blackhole();
    await eventually(() => !server.isAlive, { within: 10_000, what: 'the silence to be noticed' });
    lane(toServer).heal();
    await eventually(() => server.isAlive, { within: 15_000, what: 'the subscriber to be back' });
    await eventually(isHeard, patiently);
  }, 60_000);

  it('has a client whose messages are swallowed notice it, and be heard again when the link is back', async () => {
    lane(toClient).blackhole();
    await eventually(() => !client.isAlive, { within: 10_000, what: 'the silence to be noticed' });
    lane(toClient).heal();
    await eventually(() => client.isAlive, { within: 15_000, what: 'the client to be back' });
    await eventually(isHeard, patiently);
  }, 60_000);
});
