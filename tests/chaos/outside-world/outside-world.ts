import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import { Random } from '../../simulation/virtual/random.ts';
import { now } from '../clock.ts';
import type { JsonLines } from '../json-lines.ts';
import { BEHAVIOUR_PATH, type Behaviour, MISCONDUCTS } from './behaviour.ts';

/** What a step asks for, in the body of its request. The rest is how this step finds the world, whatever the weather. */
export interface Ask {
  readonly run: string;
  readonly step: string;
  /** The run that this one is a retry of. */
  readonly of?: string | null;
  /** Milliseconds until the answer. */
  readonly ms?: number;
  /** So many first tries of it are turned away: by 503, 429, a reset, or a reset after the effect was booked. */
  readonly unwilling?: number;
  /** Refused for good (422), unless the run is a retry. */
  readonly refuse?: boolean;
}

/** One line of the ledger: what was booked first under a key. */
export interface Effect {
  readonly at: number;
  readonly key: string;
  readonly run: string;
  readonly step: string;
}

const bodyBytesMax = 64 * 1024;
const WEATHER_STREAM = 5;

/**
 * The outside world: an HTTP server that books one effect per idempotency key, as a careful partner does, and writes what it booked to its
 * ledger. It can be told to misbehave (`behave`, or PUT /behaviour).
 */
export class OutsideWorld {
  /** Requests in all, effects booked, requests that carried no key. */
  readonly counts = { asked: 0, booked: 0, withoutKey: 0, turnedAway: 0 };
  private behaviour: Behaviour | null = null;
  private readonly tries = new Map<string, number>();
  private readonly booked = new Set<string>();
  private readonly server: Server;
  private readonly random: Random;

  private constructor(
    private readonly ledger: JsonLines,
    seed: number,
  ) {
    this.random = new Random(seed, WEATHER_STREAM);
    this.server = createServer((request, response) => void this.serve(request, response).catch(() => response.destroy()));
    // A partner that hangs does so on purpose here; the step's own timeout must notice.
    this.server.requestTimeout = 0;
  }

  static async start(ledger: JsonLines, seed: number): Promise<OutsideWorld> {
    const world = new OutsideWorld(ledger, seed);
    world.server.listen(0, '127.0.0.1');
    await once(world.server, 'listening');
    return world;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The outside world does not listen.');
    return address.port;
  }

  behave(behaviour: Behaviour | null): void {
    this.behaviour = behaviour;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close').catch(() => undefined);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const body = await read(request);
    if (request.url === BEHAVIOUR_PATH && request.method === 'PUT') {
      this.behave(behaviourIn(body));
      response.writeHead(204).end();
      return;
    }
    const key = request.headers['idempotency-key'];
    this.counts.asked += 1;
    if (typeof key !== 'string') {
      this.counts.withoutKey += 1;
      response.writeHead(400).end();
      return;
    }
    this.answer(key, askIn(body), request, response);
  }

  private answer(key: string, ask: Ask, request: IncomingMessage, response: ServerResponse): void {
    const tries = (this.tries.get(key) ?? 0) + 1;
    this.tries.set(key, tries);
    if (this.isTurnedAway(tries, ask)) {
      this.counts.turnedAway += 1;
      this.turnAway(tries, key, ask, request, response);
      return;
    }
    const { behaviour } = this;
    if (behaviour && this.random.chance(behaviour.share)) {
      this.misbehave(behaviour.misconduct, key, ask, request, response);
      return;
    }
    if (ask.refuse && !ask.of) {
      response.writeHead(422).end();
      return;
    }
    this.book(key, ask);
    setTimeout(() => wellDone(response), ask.ms ?? 0);
  }

  private isTurnedAway(tries: number, { unwilling = 0 }: Ask): boolean {
    return tries <= unwilling;
  }

  private turnAway(tries: number, key: string, ask: Ask, request: IncomingMessage, response: ServerResponse): void {
    switch (tries % 4) {
      case 1:
        response.writeHead(503).end();
        break;
      case 2:
        response.writeHead(429, { 'retry-after': '1' }).end();
        break;
      case 3:
        request.socket.resetAndDestroy();
        break;
      default:
        this.book(key, ask);
        request.socket.resetAndDestroy();
    }
  }

  private misbehave(misconduct: Behaviour['misconduct'], key: string, ask: Ask, request: IncomingMessage, response: ServerResponse): void {
    this.counts.turnedAway += 1;
    switch (misconduct) {
      case 'too-many':
        response.writeHead(429, { 'retry-after': '1' }).end();
        break;
      case 'broken':
        response.writeHead(this.random.pick([500, 502, 503])).end();
        break;
      case 'hang':
        break;
      case 'drip':
        this.book(key, ask);
        drip(response);
        break;
      case 'reset':
        request.socket.resetAndDestroy();
        break;
      case 'reset-after-effect':
        this.book(key, ask);
        request.socket.resetAndDestroy();
        break;
      case 'partial':
        this.book(key, ask);
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"booked":');
        setTimeout(() => request.socket.resetAndDestroy(), 50);
        break;
    }
  }

  private book(key: string, { run, step }: Ask): void {
    if (this.booked.has(key)) return;
    this.booked.add(key);
    this.counts.booked += 1;
    this.ledger.add({ at: now(), key, run, step } satisfies Effect);
  }
}

function wellDone(response: ServerResponse): void {
  if (!response.destroyed) response.writeHead(200, { 'content-type': 'application/json' }).end('{"booked":true}');
}

/** A byte each second: a client that counts only silence waits for ever. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '60' });
  const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write(' ')), 1_000);
  response.on('close', () => clearInterval(timer));
}

async function read(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    if (!Buffer.isBuffer(piece)) continue;
    bytes += piece.length;
    if (bytes > bodyBytesMax) throw new Error('The body is too large.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function objectIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}

function askIn(body: string): Ask {
  const { run, step, of, ms, unwilling, refuse } = objectIn(body);
  return {
    run: typeof run === 'string' ? run : '?',
    step: typeof step === 'string' ? step : '?',
    of: typeof of === 'string' && of !== '' ? of : null,
    ms: typeof ms === 'number' ? ms : 0,
    unwilling: typeof unwilling === 'number' ? unwilling : 0,
    refuse: refuse === true,
  };
}

function behaviourIn(body: string): Behaviour | null {
  const { misconduct, share } = objectIn(body);
  const known = MISCONDUCTS.find((one) => one === misconduct);
  return known ? { misconduct: known, share: typeof share === 'number' ? share : 1 } : null;
}
