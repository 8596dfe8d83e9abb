import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const flushAfterMs = 200;
const bufferedMax = 64 * 1024;

/** A file of JSON objects, one a line. What was added is in the file after 200 ms, or at once after `flush`; no more than 64 kB wait in memory. */
export class JsonLines {
  private readonly descriptor: number;
  private buffered = '';
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(readonly file: string) {
    this.descriptor = openSync(file, 'a');
  }

  add(entry: object): void {
    if (this.closed) return;
    this.buffered += `${JSON.stringify(entry)}\n`;
    if (this.buffered.length >= bufferedMax) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), flushAfterMs);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.closed || this.buffered === '') return;
    writeSync(this.descriptor, this.buffered);
    this.buffered = '';
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    closeSync(this.descriptor);
  }
}

/** Reads such a file line by line, so that its size is no matter. */
export async function* readJsonLines(file: string): AsyncGenerator<unknown> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() !== '') yield JSON.parse(line);
  }
}
