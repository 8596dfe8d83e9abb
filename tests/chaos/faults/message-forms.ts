import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { HeartbeatMessage, LogMessage, PAYLOAD_DEPTH_MAX, ReportMessage, TaskMessage, isDeeperThan } from '#contracts';
import type { Random } from '../world/types.ts';
import type { Kind } from './message-tap.ts';

const SCHEMAS: Readonly<Record<Kind, z.ZodType>> = {
  tasks: TaskMessage,
  reports: ReportMessage,
  heartbeats: HeartbeatMessage,
  logs: LogMessage,
};

const DEPTH = 20_000;
const LONG = 100_000;
/** So many of the broken reports travel with good ones. */
const IN_COMPANY = 0.3;

type Form = (body: string, random: Random) => string;

/** How a message can be broken: each takes a good one and makes something of it that its reader must survive. */
export const FORMS: Readonly<Record<string, Form>> = {
  empty: () => '',
  text: (_, random) => letters(random, random.int(1, 400)),
  truncated: (body, random) => body.slice(0, random.int(0, body.length - 1)),
  'a byte changed': (body, random) => changed(body, random),
  'several bytes changed': (body, random) => Array.from({ length: 8 }).reduce<string>((text) => changed(text, random), body),
  'not an object': (_, random) => random.pick(['null', '[]', '42', '"text"', 'true', '[{}]', '1e999', '-0']),
  'another version': (body, random) => withField(body, 'v', random.pick([0, 2, -1, '1', null])),
  'an unknown field': (body, random) => withField(body, letters(random, 12), random.int(0, 9)),
  'a field of Object': (body) => body.replace(/^\{/, '{"__proto__":{"outcome":"succeeded"},"constructor":{"prototype":1},'),
  'a field twice': (body) => body.replace(/^\{/, '{"v":1,"v":2,'),
  'a field missing': (body, random) => withoutField(body, random),
  'another type': (body, random) => withAnother(body, random, [null, true, [], {}, -1, 1.5, 2 ** 53, 'x', '']),
  'a long field': (body, random) => withAnother(body, random, ['x'.repeat(LONG)]),
  'a deep field': (body, random) => {
    const name = random.pick(['input', 'output']);
    const rest = Object.entries(parsed(body) ?? {}).filter(([other]) => other !== name);
    // Speaks of nothing that exists: such a report is taken, and fails its step.
    return JSON.stringify({ ...Object.fromEntries(rest), runId: randomUUID() }).replace(
      /^\{/,
      `{"${name}":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},`,
    );
  },
  'a NUL': (body, random) => withAnother(body, random, ['a\u0000b', '\ud800', '\udc00\ud800']),
  'a foreign message': () => JSON.stringify({ event: 'user.created', id: 7, tags: ['a', 'b'] }),
};

/**
 * One broken message of a kind, from a good one. What is still good after it was broken (a changed letter in a text, say) would be a lie that
 * nobody can tell from the truth: it is made to speak of a run, or a session, that does not exist.
 */
export function brokenMessage(kind: Kind, good: string, form: string, random: Random): string {
  const broken = (FORMS[form] ?? FORMS['empty'])?.(good, random) ?? '';
  const taken = goodIn(kind, broken);
  const harmless = taken ? toldOfNothing(kind, taken) : broken;
  return kind === 'reports' && random.chance(IN_COMPANY) ? inCompany(harmless, good) : harmless;
}

/** Reports that travel together, each by itself; any other message as it is. */
export function apart(body: string): string[] {
  const told = parsed(body);
  return Array.isArray(told) ? told.map((one) => JSON.stringify(one)) : [body];
}

function toldOfNothing(kind: Kind, message: object): string {
  const elsewhere = kind === 'heartbeats' ? { session: randomUUID(), held: [] } : { runId: randomUUID() };
  return JSON.stringify({ ...message, ...elsewhere, ...(kind === 'tasks' ? { uses: 'noop' } : {}) });
}

/** Between two good reports that travel with it, of runs that do not exist. */
function inCompany(report: string, good: string): string {
  const beside = () => toldOfNothing('reports', goodIn('reports', good) ?? {});
  return `[${beside()},${report},${beside()}]`;
}

/** What a reader would make of it, nothing where he would refuse it. */
function goodIn(kind: Kind, body: string): object | undefined {
  try {
    const { data } = SCHEMAS[kind].safeParse(JSON.parse(body));
    return typeof data === 'object' && data !== null && !isDeeperThan(PAYLOAD_DEPTH_MAX, data) ? data : undefined;
  } catch {
    // No JSON.
    return undefined;
  }
}

/** A good one, for a kind of which none has passed: it speaks of nothing that exists. */
export function sampleOf(kind: Kind, epoch: number): string {
  const step = { runId: randomUUID(), stepNo: 1 };
  switch (kind) {
    case 'tasks':
      return JSON.stringify({
        v: 1,
        ...step,
        epoch,
        dispatchNo: 1,
        step: 'a',
        uses: 'noop',
        input: {},
        attempt: 1,
        timeoutSeconds: 5,
        idempotencyKey: randomUUID(),
        workflow: 'none',
        workflowVersion: 1,
        environment: null,
        team: null,
      });
    case 'reports':
      return JSON.stringify({
        v: 1,
        kind: 'ended',
        id: randomUUID(),
        ...step,
        epoch,
        dispatchNo: 1,
        session: randomUUID(),
        ranMs: 1,
        outcome: 'succeeded',
        output: { rows: 1 },
      });
    case 'heartbeats':
      return JSON.stringify({
        v: 1,
        session: randomUUID(),
        worker: 'nobody',
        epoch,
        concurrency: 1,
        held: [],
        kinds: ['noop'],
        leaving: true,
      });
    case 'logs':
      return JSON.stringify({ v: 1, ...step, attempt: 1, dispatchNo: 1, lines: [{ line: 1, at: 1, level: 'info', text: 'said' }] });
  }
}

function changed(text: string, random: Random): string {
  const at = random.int(0, Math.max(0, text.length - 1));
  return `${text.slice(0, at)}${String.fromCharCode(random.int(1, 255))}${text.slice(at + 1)}`;
}

function withField(body: string, name: string, value: unknown): string {
  const good = parsed(body);
  return JSON.stringify(typeof good === 'object' ? { ...good, [name]: value } : { [name]: value });
}

function withoutField(body: string, random: Random): string {
  const good = parsed(body);
  if (typeof good !== 'object' || good === null) return '{}';
  const names = Object.keys(good);
  const left = names.length > 0 ? random.pick(names) : '';
  return JSON.stringify(Object.fromEntries(Object.entries(good).filter(([name]) => name !== left)));
}

function withAnother(body: string, random: Random, values: readonly unknown[]): string {
  const good = parsed(body);
  if (typeof good !== 'object' || good === null || Object.keys(good).length === 0) return JSON.stringify(random.pick(values));
  return JSON.stringify({ ...good, [random.pick(Object.keys(good))]: random.pick(values) });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function letters(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(random.int(33, 126))).join('');
}
