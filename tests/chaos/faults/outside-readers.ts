import { connect, type Socket } from 'node:net';
import { paths } from '#contracts';
import type { Fault, World } from '../world/types.ts';
import { residentMegabytes } from './process-memory.ts';
import { endOfOwnRun, startOwnRun, wideRun } from './step-runs.ts';

const READERS = 100;
const WIDTH = 300;

/** A hundred callers ask for the events of a run with a long history and take nothing of them. */
export const slowReaders: Fault = {
  id: 'F33',
  name: 'slow-readers',
  targets: 'outside',
  inflict: async (world, random) => {
    const before = await residentMegabytes(world.members('api'));
    const runId = await startOwnRun(world, wideRun('wide', WIDTH), {});
    const readers = Array.from({ length: READERS }, () => openAndStall(world, runId));
    return {
      what: `${READERS} readers of the events of run ${runId} take nothing`,
      holdMs: random.int(2_000, 5_000),
      heal: async () => {
        const after = await residentMegabytes(world.members('api'));
        for (const reader of readers) reader.destroy();
        return { apiRssMb: after, apiRssMbGrown: after - before, ...(await endOfOwnRun(world, runId)) };
      },
    };
  },
};

function openAndStall(world: World, runId: string): Socket {
  const { hostname, port, host } = new URL(world.apiUrl());
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(`GET ${paths.events(runId)} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${world.token}\r\n\r\n`);
  // The first piece is the head: from then on nothing is taken.
  socket.once('data', () => socket.pause());
  return socket;
}
