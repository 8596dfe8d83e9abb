import { rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';

/** Milliseconds of CLOCK_MONOTONIC: comparable between the processes of one machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Hears from steps that they run: lines of a run's id and the moment in monotonic milliseconds, over a socket in the file system. */
export class Marks {
  private readonly heard = new Map<string, number>();
  private readonly awaited = new Map<string, (at: number) => void>();

  private constructor(private readonly server: Server) {}

  static async listen(path: string): Promise<Marks> {
    await rm(path, { force: true });
    const server = createServer();
    const marks = new Marks(server);
    server.on('connection', (socket) => {
      let rest = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) marks.hear(line);
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return marks;
  }

  /** The moment in which the run was marked, which may have been before it is asked for. Rejects when it does not come in time. */
  of(runId: string, withinMs: number): Promise<number> {
    const at = this.heard.get(runId);
    this.heard.delete(runId);
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Run ${runId} was not marked within ${withinMs} ms.`)), withinMs);
      this.awaited.set(runId, (moment) => {
        clearTimeout(timer);
        resolve(moment);
      });
    });
  }

  private hear(line: string): void {
    const [runId = '', at = ''] = line.split(' ');
    const waiting = this.awaited.get(runId);
    this.awaited.delete(runId);
    if (waiting) waiting(Number(at));
    else this.heard.set(runId, Number(at));
  }

  close(): void {
    this.server.close();
  }
}
