import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(fileURLToPath(new URL(path, root)), 'utf8');
const dependency = z.union([z.array(z.string()), z.record(z.string(), z.object({ condition: z.string() }))]);
const service = z.object({
  image: z.string().optional(),
  build: z.object({ context: z.string(), dockerfile: z.string(), target: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: dependency.default({}),
  profiles: z.array(z.string()).default([]),
  restart: z.string().optional(),
  privileged: z.boolean().default(false),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const { services, volumes } = z
  .object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })
  .parse(parse(read('docker-compose.dev.yml'), { merge: true }));

const part = (name: string) => service.parse(services[name]);
const names = Object.keys(services);
const ours = ['api', 'scheduler', 'worker', 'migrate'];

describe('the development stack', () => {
  it('has the data services with the agreed versions, logins, ports and volumes', () => {
    expect(part('postgres')).toMatchObject({
      image: 'postgres:15-alpine',
      environment: { POSTGRES_DB: 'flowforge', POSTGRES_USER: 'flowforge', POSTGRES_PASSWORD: 'devpassword' },
      ports: ['5432:5432'],
      volumes: ['postgres_data:/var/lib/postgresql/data'],
    });
    expect(part('redis')).toMatchObject({ image: 'redis:7-alpine', ports: ['6379:6379'], volumes: ['redis_data:/data'] });
    expect(Object.keys(volumes)).toEqual(expect.arrayContaining(['postgres_data', 'redis_data']));
  });

  it('starts api, scheduler and worker without a profile, healthy servers first', () => {
    expect(names.filter((name) => part(name).profiles.length === 0).sort()).toEqual([
      'api',
      'migrate',
      'postgres',
      'redis',
      'scheduler',
      'worker',
    ]);
    for (const name of ['api', 'scheduler']) {
      expect(part(name).depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
        migrate: { condition: 'service_completed_successfully' },
      });
    }
    for (const name of ['postgres', 'redis', 'api', 'scheduler', 'worker']) expect(part(name).healthcheck?.test.length).toBeGreaterThan(0);
  });

  it('migrates once, as the owner, and lets no service log in as the owner', () => {
    expect(part('migrate')).toMatchObject({
      restart: 'no',
      environment: { MIGRATION_DATABASE_URL: 'postgresql://flowforge:devpassword@postgres/flowforge' },
    });
    expect(part('api').environment['DATABASE_URL']).toBe('postgresql://flowforge_api:devpassword@postgres/flowforge');
    expect(part('scheduler').environment['DATABASE_URL']).toBe('postgresql://flowforge_scheduler:devpassword@postgres/flowforge');
  });

  it('gives the worker no way to the database', () => {
    expect(Object.keys(part('worker').environment).filter((variable) => /DATABASE|PASSWORD|POSTGRES/.test(variable))).toEqual([]);
    expect(part('worker').environment['REDIS_URL']).toBe('redis://redis:6379');
  });

  it('serves the api on 8080 and passes the agreed development settings on', () => {
    expect(part('api').ports).toContain('8080:8080');
    for (const name of ['api', 'worker']) {
      expect(part(name).environment).toMatchObject({
        REDIS_URL: 'redis://redis:6379',
        JWT_SECRET: 'devsecret',
        ANTHROPIC_API_KEY: '${ANTHROPIC_API_KEY:-}',
        NODE_ENV: 'development',
      });
    }
  });

  it('restarts our processes on an edit of the mounted sources', () => {
    for (const name of ['api', 'scheduler', 'worker']) {
      expect(part(name).build).toEqual({ context: '.', dockerfile: 'deploy/docker/Dockerfile', target: 'development' });
      expect(part(name).volumes).toEqual(expect.arrayContaining(['./services:/app/services', './libs:/app/libs']));
      expect(part(name).command).toEqual([
        'node',
        '--watch',
        '--conditions=ff-src',
        '--import',
        './tools/swc-hook.mjs',
        `services/${name}/src/main.ts`,
      ]);
    }
  });

  it('mounts no docker socket and runs nothing privileged', () => {
    expect(read('docker-compose.dev.yml')).not.toContain('docker.sock');
    expect(names.filter((name) => part(name).privileged)).toEqual([]);
  });

  it('has monitoring and vault behind profiles, and no port twice', () => {
    expect(part('prometheus')).toMatchObject({ profiles: ['monitoring'], ports: ['9091:9090'] });
    expect(part('grafana')).toMatchObject({ profiles: ['monitoring'], ports: ['3002:3000'] });
    expect(part('vault').profiles).toEqual(['vault']);
    const published = names.flatMap((name) => part(name).ports.map((port) => port.split(':')[0]));
    expect(new Set(published).size).toBe(published.length);
  });
});

describe('the images', () => {
  const dockerfile = read('deploy/docker/Dockerfile');

  it('are built in stages: dependencies, build, prune, what a start compiles, one runtime per process', () => {
    const stages = [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, base, stage]) => `${stage} < ${base}`);
    expect(stages).toEqual([
      'dependencies < node:24-bookworm-slim',
      'development < dependencies',
      'build < dependencies',
      'pruned < build',
      'compiled < pruned',
      'runtime < node:24-bookworm-slim',
      ...['migrate', 'api', 'scheduler', 'worker'].map((name) => `${name} < runtime`),
    ]);
  });

  it('run as a numbered user that is not root, and check their health', () => {
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile.match(/^HEALTHCHECK/gm)).toHaveLength(3);
  });

  it('cover every process of the compose file', () => {
    for (const name of ours) expect(dockerfile).toContain(`FROM runtime AS ${name}\n`);
  });

  it('are built without what is secret or large', () => {
    for (const path of ['.git', 'node_modules', 'data', '.env*']) expect(read('.dockerignore').split('\n')).toContain(path);
  });
});
