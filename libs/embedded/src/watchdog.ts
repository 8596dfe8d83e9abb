import { spawn } from 'node:child_process';

/** Ends a server when the process that started it is gone. `release` lets the server live on (it has been stopped properly). */
export interface Watchdog {
  readonly pid: number;
  release(): void;
}

/**
 * Watches over a child server from a tiny shell of its own: the shell reads a pipe whose other end only this process holds, so the read
 * returns in the moment this process dies, even by SIGKILL, and the shell signals the server. It runs in a session of its own, because
 * Ctrl-C in a terminal reaches the whole group and must not end the guard before the guarded.
 */
export function watchOver(serverPid: number, signal: 'KILL' | 'INT' | 'QUIT'): Watchdog {
  const script = `read -r _ || kill -${signal} ${serverPid} 2>/dev/null`;
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.on('error', () => undefined);
  shell.unref();
  const pipe = shell.stdin;
  pipe.on('error', () => undefined);
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  return {
    pid: shell.pid ?? 0,
    // A line, unlike the end of the pipe, lets the shell leave without signalling.
    release: () => pipe.end('released\n'),
  };
}
