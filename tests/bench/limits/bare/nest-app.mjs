/**
 * Nest on Fastify with nothing of ours in it: what a request costs at least, and what a start costs at least.
 *   node nest-app.mjs PORT none            POST /runs answers at once
 *   node nest-app.mjs PORT group DATABASE  POST /runs inserts a row; all that arrive while an insert is under way share the next one
 * Plain JavaScript, decorators applied by hand, so that it starts without a compiler.
 */
import 'reflect-metadata';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const [, , port = '0', mode = 'none', database] = process.argv;
const insert = mode === 'group' ? await groupedInsert(database) : async () => 1;

class Runs {
  ready() {
    return { ready: true };
  }

  async create(body) {
    return { id: await insert(body) };
  }
}
decorate(Runs, 'ready', Get('ready'));
decorate(Runs, 'create', Post('runs'));
Body()(Runs.prototype, 'create', 0);
Controller()(Runs);

class App {}
Module({ controllers: [Runs] })(App);

const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
await app.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));

function decorate(target, method, decorator) {
  decorator(target.prototype, method, Object.getOwnPropertyDescriptor(target.prototype, method));
}

async function groupedInsert(connectionString) {
  const { default: pg } = await import('pg');
  const client = new pg.Client(connectionString);
  await client.connect();
  await client.query(
    'drop table if exists limit_http; create table limit_http (id bigint generated always as identity primary key, input jsonb, at timestamptz default now())',
  );
  const statement = { name: 'insert', text: 'insert into limit_http (input) select i from unnest($1::jsonb[]) as r (i) returning id' };
  let waiting = [];
  let busy = false;
  const flush = async () => {
    busy = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const { rows } = await client.query({ ...statement, values: [group.map(({ body }) => JSON.stringify(body))] });
      group.forEach(({ resolve }, at) => resolve(rows[at].id));
    }
    busy = false;
  };
  return (body) =>
    new Promise((resolve) => {
      waiting.push({ body, resolve });
      if (!busy && waiting.length === 1) setImmediate(flush);
    });
}
