import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { RUN_EVENTS } from '#contracts';
import type { FollowedEvent } from './run-follower.ts';

/** A reader that takes nothing for this long is cut off; he resumes by Last-Event-ID. */
const STUCK_READER_MS = 30_000;
/** How long a browser waits before it asks again. */
const RECONNECT_MS = 1_000;

/** Writes events to a response as they come, at the reader's pace, and ends it. */
export async function writeEvents(response: ServerResponse, events: AsyncIterable<FollowedEvent>, signal: AbortSignal): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // A stream ends with its connection: nothing idle is left for a shutdown to wait for.
    connection: 'close',
    // Proxies that gather answers would hold events back.
    'x-accel-buffering': 'no',
  });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  for await (const event of events) {
    if (!response.write(textOf(event)) && !(await drained(response, signal))) break;
  }
  response.end();
}

function textOf(event: FollowedEvent): string {
  switch (event.kind) {
    case 'transition':
      return `id: ${event.transition.seq}\nevent: ${RUN_EVENTS.transition}\ndata: ${JSON.stringify(event.transition)}\n\n`;
    case 'end':
      return `event: ${RUN_EVENTS.end}\ndata: ${JSON.stringify({ state: event.state })}\n\n`;
    case 'idle':
      return ': still here\n\n';
  }
}

/** True when the reader took what was written; false when he is stuck or gone. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(STUCK_READER_MS)]) });
    return true;
  } catch {
    response.destroy();
    return false;
  }
}
