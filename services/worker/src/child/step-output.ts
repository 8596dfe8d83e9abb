import { AsyncLocalStorage } from 'node:async_hooks';

type Level = 'info' | 'warn';

/** Takes the lines that a step prints. */
export interface PrintedLines {
  print(level: Level, line: string): void;
}

interface Printing {
  readonly to: PrintedLines;
  readonly partial: Record<Level, string>;
}

/** Printed text without a line break is kept up to here, then becomes a line of its own. */
const partialCharactersMax = 16 * 1024;

const current = new AsyncLocalStorage<Printing>();

/**
 * Runs a step so that all it prints, however deep in its calls, goes to its own log: console.log, process.stdout and stderr. What
 * native code or a subprocess writes goes past this to the process's pipes, where the worker reads it.
 */
export async function capturing<T>(to: PrintedLines, work: () => Promise<T>): Promise<T> {
  const printing: Printing = { to, partial: { info: '', warn: '' } };
  try {
    return await current.run(printing, work);
  } finally {
    for (const level of ['info', 'warn'] as const) {
      if (printing.partial[level]) to.print(level, printing.partial[level]);
      printing.partial[level] = '';
    }
  }
}

/** Replaces the writing of stdout and stderr for the rest of the process's life. */
export function captureOutput(): void {
  redirect(process.stdout, 'info');
  redirect(process.stderr, 'warn');
}

function redirect(stream: NodeJS.WriteStream, level: Level): void {
  const through = stream.write.bind(stream);
  const write = (chunk: string | Uint8Array, second?: BufferEncoding | Done, third?: Done): boolean => {
    const printing = current.getStore();
    if (!printing) return typeof second === 'string' ? through(chunk, second, third) : through(chunk, second);
    append(printing, level, typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    const done = typeof second === 'function' ? second : third;
    if (done) process.nextTick(done);
    return true;
  };
  stream.write = write;
}

type Done = (error?: Error | null) => void;

function append({ to, partial }: Printing, level: Level, text: string): void {
  const lines = (partial[level] + text).split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) to.print(level, line.replace(/\r$/, ''));
  if (rest.length <= partialCharactersMax) partial[level] = rest;
  else {
    to.print(level, rest);
    partial[level] = '';
  }
}
