import type { Json } from '#core';
import type { ApiClient } from './http/api-client.ts';
import type { FoundServer } from './config/find-server.ts';
import { type Paint, paintFor } from './terminal/paint.ts';
import type { World } from './world.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

/** The options that every command has. */
export interface GlobalOptions {
  readonly output: Output;
  readonly quiet: boolean;
  readonly context?: string;
}

/** One command at work: how its caller wants to be answered, and where. */
export class Session {
  readonly paint: Paint;
  readonly notePaint: Paint;

  constructor(
    readonly world: World,
    private readonly options: GlobalOptions,
  ) {
    this.paint = paintFor(world.stdout, world.env);
    this.notePaint = paintFor(world.stderr, world.env);
  }

  get output(): Output {
    return this.options.output;
  }

  get isQuiet(): boolean {
    return this.options.quiet;
  }

  get contextName(): string | undefined {
    return this.options.context;
  }

  get now(): number {
    return this.world.now();
  }

  /** Results: lines on standard output. */
  say(...lines: readonly string[]): void {
    if (lines.length > 0) this.world.stdout.write(`${lines.join('\n')}\n`);
  }

  /** A result as JSON. */
  sayJson(value: Json): void {
    this.say(JSON.stringify(value, null, 2));
  }

  /** What only people want to know goes to standard error, and nowhere with --quiet. */
  note(...lines: readonly string[]): void {
    if (!this.isQuiet && lines.length > 0) this.world.stderr.write(`${lines.join('\n')}\n`);
  }

  async findServer(): Promise<FoundServer> {
    const { findServer } = await import('./config/find-server.ts');
    return findServer(this.world, this.contextName);
  }

  /** A client of the server that this session is about. */
  async connect(): Promise<ApiClient> {
    const [server, { ApiClient }] = await Promise.all([this.findServer(), import('./http/api-client.ts')]);
    return new ApiClient(server, this.world.interrupted);
  }
}
