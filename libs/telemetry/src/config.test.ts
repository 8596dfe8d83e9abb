import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeConfig, parseConfig } from './config.ts';
import { setting } from './settings.ts';

const schema = z.object({
  NODE_ENV: setting.nodeEnv(),
  DATABASE_URL: setting
    .url('postgresql', 'postgres')
    .describe('the address of PostgreSQL')
    .meta({ example: 'postgresql://user:password@host/database' }),
  PORT: setting.port(8080),
  LEASE_SECONDS: setting.seconds({ min: 0.5, max: 600, fallback: 10 }),
  HANDLERS: setting.list(),
  MODE: setting.oneOf(['managed', 'declared'], 'managed'),
  DOCS: setting.flag(true),
  JWT_SECRET: setting.secret().optional(),
});
const good = { DATABASE_URL: 'postgresql://flowforge:s3cr3t@db/flowforge' };

function faultsOf(env: Record<string, string>): string {
  try {
    parseConfig(schema, env);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

describe('a configuration', () => {
  it('has its defaults and takes numbers, lists and flags from text', () => {
    expect(parseConfig(schema, { ...good, LEASE_SECONDS: '1.5', HANDLERS: 'a, b,,c', DOCS: 'off', OTHER: 'ignored', PORT: ' ' })).toEqual({
      NODE_ENV: 'development',
      DATABASE_URL: good.DATABASE_URL,
      PORT: 8080,
      LEASE_SECONDS: 1.5,
      HANDLERS: ['a', 'b', 'c'],
      MODE: 'managed',
      DOCS: false,
    });
  });

  it('is refused with all its faults, each with the variable and how to mend it', () => {
    const faults = faultsOf({ PORT: '70000', LEASE_SECONDS: 'soon', MODE: 'both', DOCS: 'maybe' });
    expect(faults).toContain('5 faults');
    expect(faults).toContain(
      'DATABASE_URL: is not set. It is the address of PostgreSQL. Example: DATABASE_URL=postgresql://user:password@host/database',
    );
    expect(faults).toContain('PORT: must be a whole number from 0 to 65535 (it is "70000")');
    expect(faults).toContain('LEASE_SECONDS: must be a number from 0.5 to 600 (it is "soon")');
    expect(faults).toContain('MODE: must be one of managed, declared');
    expect(faults).toContain('DOCS: must be true or false');
  });

  it.each(['', '1e3', '0x10', 'NaN', 'Infinity', '1,5', '8080.5'])('does not take %j for a port', (text) => {
    if (text === '') expect(parseConfig(schema, { ...good, PORT: text }).PORT).toBe(8080);
    else expect(faultsOf({ ...good, PORT: text })).toContain('PORT: must be a whole number');
  });

  it('never repeats a secret in a fault', () => {
    expect(faultsOf({ DATABASE_URL: 'mysql://u:s3cr3t@h', JWT_SECRET: 's3cr3t', PORT: 'x' })).not.toContain('s3cr3t');
  });

  it.each(['production', 'staging'])('is refused in %s with a secret that everybody knows', (NODE_ENV) => {
    const faults = faultsOf({ NODE_ENV, DATABASE_URL: 'postgresql://flowforge:devpassword@db/flowforge', JWT_SECRET: 'devsecret' });
    expect(faults).toContain('2 faults');
    expect(faults).not.toMatch(/devpassword|devsecret/);
    expect(faultsOf({ NODE_ENV, ...good, JWT_SECRET: '<your-secret>' })).toContain('JWT_SECRET');
    expect(faultsOf({ NODE_ENV, ...good, JWT_SECRET: '9f8e7d6c5b4a' })).toBe('');
  });

  it('looks into a URL that is marked as secret for its password', () => {
    const marked = z.object({ NODE_ENV: setting.nodeEnv(), REDIS_URL: setting.url('redis').meta({ secret: true }) });
    expect(() => parseConfig(marked, { NODE_ENV: 'production', REDIS_URL: 'redis://:changeme@redis:6379' })).toThrow(
      /REDIS_URL: holds a secret that everybody knows/,
    );
    expect(() => parseConfig(marked, { NODE_ENV: 'production', REDIS_URL: 'redis://:9f8e7d6c5b4a@redis:6379' })).not.toThrow();
  });

  it('may use the development secrets in development', () => {
    expect(faultsOf({ DATABASE_URL: 'postgresql://flowforge:devpassword@db/flowforge', JWT_SECRET: 'devsecret' })).toBe('');
  });

  it('can be printed without its secrets', () => {
    const config = parseConfig(schema, { ...good, JWT_SECRET: 's3cr3t', HANDLERS: 'a' });
    const printed = describeConfig(schema, config);
    expect(printed).toMatchObject({
      PORT: '8080',
      JWT_SECRET: '[redacted]',
      DATABASE_URL: 'postgresql://flowforge:[redacted]@db/flowforge',
      HANDLERS: '["a"]',
    });
    expect(JSON.stringify(printed)).not.toContain('s3cr3t');
  });
});
