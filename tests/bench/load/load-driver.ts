import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTestFolder } from '#testing';
import type { DriverMessage, Order, Outcome } from './messages.ts';

const hook = new URL('../../../tools/swc-hook.mjs', import.meta.url).href;

/** The bench's handle on the process that sends requests. One order at a time. */
export class LoadDriver {
  private constructor(
    private readonly child: ChildProcess,
    /** Where steps say that they run. */
    readonly marksPath: string,
  ) {}

  static async start(): Promise<LoadDriver> {
    const marksPath = join(await makeTestFolder('marks'), 'marks.sock');
    const child = fork(fileURLToPath(new URL('driver.ts', import.meta.url)), [marksPath], {
      execArgv: ['--conditions=ff-src', '--import', hook],
    });
    const driver = new LoadDriver(child, marksPath);
    await driver.answer();
    return driver;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Throws when a request was refused: figures of refusals are none. */
  async carryOut(order: Order): Promise<Outcome> {
    const answer = this.answer();
    this.child.send(order);
    const message = await answer;
    if (message.kind === 'failed') throw new Error(`The load driver failed: ${message.reason}`);
    if (message.kind !== 'done') throw new Error('The load driver answered out of turn.');
    const { outcome } = message;
    if (outcome.refused > 0) throw new Error(`${outcome.refused} requests were refused, the first with ${outcome.firstRefusal}`);
    return outcome;
  }

  stop(): void {
    this.child.disconnect();
  }

  private answer(): Promise<DriverMessage> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('The load driver ended.'));
      this.child.once('exit', onExit);
      this.child.once('message', (message: DriverMessage) => {
        this.child.off('exit', onExit);
        resolve(message);
      });
    });
  }
}
