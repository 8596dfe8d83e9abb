import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const flags = ['--conditions=ff-src', '--import', new URL('../../../tools/swc-hook.mjs', import.meta.url).href];

/** How a command line ended, and what it said. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** The folder that the command is typed in. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Called with all that was said so far, whenever there is more. */
  readonly onOutput?: (said: string, interrupt: () => void) => void;
}

/** Types a command line into a real process and waits for its end. HOME is the folder itself: no configuration of the developer leaks in. */
export async function flowforge(
  args: readonly string[],
  { cwd = project, env = {}, stdin = '', onOutput }: Surroundings = {},
): Promise<Said> {
  const child = spawn(process.execPath, [...flags, main, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, NO_COLOR: '1', ...env },
  });
  let [stdout, stderr] = ['', ''];
  const heard = () => onOutput?.(stdout + stderr, () => child.kill('SIGINT'));
  child.stdout.setEncoding('utf8').on('data', (text: string) => ((stdout += text), heard()));
  child.stderr.setEncoding('utf8').on('data', (text: string) => ((stderr += text), heard()));
  // A command that reads nothing may be gone before its input is.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}
