import { writeFile } from 'node:fs/promises';
import { type Ending, eventually, freePort, startProcess, type TestProcess } from '#testing';
import type { Member, MemberEnding, MemberName, ReadinessSeen, Role } from './types.ts';

type Env = Readonly<Record<string, string>>;

const RESTART_AFTER_MS = 500;
const READY_WITHIN_MS = 120_000;
const ANSWER_WITHIN_MS = 2_000;
const LAST_LINES = 60;

export interface MemberPlan {
  readonly name: MemberName;
  readonly env: () => Env;
  /** Hears what it says when it is ready: the ports that it took. */
  readonly onReady?: (said: Readonly<Record<string, unknown>>) => void;
  /** A file that keeps the lines of every life. */
  readonly logFile: string;
}

/** A member of the world that is started again when it ends by itself. */
export class SupervisedMember implements Member {
  readonly endings: MemberEnding[] = [];
  readonly role: Role;
  private life: TestProcess | undefined;
  private isWanted = false;
  private starting: Promise<void> = Promise.resolve();
  private paused = false;
  private isUp = false;
  private sideDoor = 0;

  constructor(private readonly plan: MemberPlan) {
    this.role = plan.name.split(' ')[0] as Role;
  }

  get name(): MemberName {
    return this.plan.name;
  }

  get pid(): number {
    return this.isRunning ? (this.life?.pid ?? 0) : 0;
  }

  get isRunning(): boolean {
    return this.life !== undefined && this.life.ending === undefined;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  get lines(): readonly string[] {
    return this.life?.lines ?? [];
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ending> {
    this.isWanted = false;
    await this.starting;
    if (!this.life) throw new Error(`${this.name} was never started.`);
    return await this.life.kill(signal);
  }

  async startAgain({ env = {}, wait = true }: { readonly env?: Env; readonly wait?: boolean } = {}): Promise<void> {
    if (this.isRunning) await this.kill();
    this.isWanted = true;
    await this.launch(env);
    if (wait) await eventually(() => this.isUp, { within: READY_WITHIN_MS, every: 50, what: `${this.name} to be ready` });
  }

  pause(): void {
    if (!this.isRunning) return;
    this.paused = true;
    process.kill(this.pid, 'SIGSTOP');
  }

  goOn(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.isRunning) process.kill(this.pid, 'SIGCONT');
  }

  async ready(): Promise<ReadinessSeen> {
    try {
      const response = await this.ask('/ready');
      return { status: response.status, body: await response.json() };
    } catch (error) {
      return { status: 0, body: String(error) };
    }
  }

  async metrics(): Promise<string> {
    return await (await this.ask('/metrics')).text();
  }

  private async ask(path: string): Promise<Response> {
    return await fetch(`http://127.0.0.1:${this.sideDoor}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  }

  private launch(env: Env): Promise<void> {
    this.starting = (async () => {
      this.isUp = false;
      this.paused = false;
      // A new one for each life: another process may have taken the old one meanwhile.
      this.sideDoor = await freePort();
      const life = await startProcess({
        main: `services/${this.role}/src/main.ts`,
        name: this.name,
        env: { ...this.plan.env(), METRICS_PORT: String(this.sideDoor), ...env },
      });
      this.life = life;
      void this.hearReady(life);
      void life.ended.then((ending) => this.mourn(life, ending));
    })();
    return this.starting;
  }

  private async hearReady(life: TestProcess): Promise<void> {
    const line = await eventually(() => life.ending !== undefined || life.lines.find((said) => /The \w+ is ready/.test(said)), {
      within: READY_WITHIN_MS,
      every: 50,
    }).catch(() => true);
    if (typeof line !== 'string' || this.life !== life) return;
    this.plan.onReady?.(parse(line));
    this.isUp = true;
  }

  private async mourn(life: TestProcess, ending: Ending): Promise<void> {
    const wanted = !this.isWanted || this.life !== life;
    this.endings.push({ ...ending, at: Date.now(), wanted, lastLines: life.lines.slice(-LAST_LINES) });
    await writeFile(this.plan.logFile, `${life.lines.join('\n')}\n--- ended with ${ending.code}\n`, { flag: 'a' }).catch(() => undefined);
    if (wanted) return;
    await new Promise((resolve) => setTimeout(resolve, RESTART_AFTER_MS));
    if (this.isWanted && this.life === life) await this.launch({});
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
