/** The handler that the bench's workers load: a step that tells the load driver in which moment it runs. */
import { type Socket, connect } from 'node:net';
import { z } from 'zod';
import { defineStep } from '#sdk';
import { monotonicMs } from '../load/marks.ts';

const sockets = new Map<string, Socket>();

export const mark = defineStep({
  name: 'bench/mark',
  input: z.object({ socket: z.string() }),
  run: ({ run }, { socket }) => {
    const at = monotonicMs();
    socketTo(socket).write(`${run.id} ${at}\n`);
    return null;
  },
});

function socketTo(path: string): Socket {
  const known = sockets.get(path);
  if (known) return known;
  const socket = connect(path);
  socket.setNoDelay(true);
  // The driver of one round is gone in the next; a step must not fail for that.
  socket.on('error', () => sockets.delete(path));
  socket.on('close', () => sockets.delete(path));
  socket.unref();
  sockets.set(path, socket);
  return socket;
}
