import { homedir } from 'node:os';
import { EXIT } from './exit-codes.ts';
import type { Screen, World } from './world.ts';

const usualColumns = 100;
const usualRows = 30;

/** The world of a real process. */
export function processWorld(): World {
  let interrupted: AbortSignal | undefined;
  return {
    stdout: screenOf(process.stdout),
    stderr: screenOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    now: () => Date.now(),
    readStdin: readAll,
    get interrupted() {
      return (interrupted ??= abortedByInterrupt());
    },
  };
}

function screenOf(stream: NodeJS.WriteStream): Screen {
  return {
    write: (text) => void stream.write(text),
    isTTY: isTerminal(stream),
    get columns() {
      return stream.columns || usualColumns;
    },
    get rows() {
      return stream.rows || usualRows;
    },
  };
}

/** Its type says boolean, but it is undefined where the stream is a pipe or a file. */
function isTerminal({ isTTY }: { readonly isTTY?: boolean }): boolean {
  return isTTY ?? false;
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** The first Ctrl-C is for the command to end in order, the second ends at once. */
function abortedByInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  });
  return controller.signal;
}
