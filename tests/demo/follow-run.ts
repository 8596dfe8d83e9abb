import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { paths, RUN_EVENTS, RunEnded, Transition } from '#contracts';
import type { ApiClient } from '../harness/api-client.ts';

/** How long a broken stream is taken up again, in milliseconds without an event. */
const patienceMs = 45_000;
const restMs = 100;

/** The transitions of a run as they happen, by server-sent events, until it has ended. A stream that breaks is taken up behind its last event. */
export async function* followRun(api: ApiClient, runId: string): AsyncGenerator<Transition> {
  let lastSeq = 0;
  let lastAt = performance.now();
  while (performance.now() - lastAt < patienceMs) {
    try {
      for await (const { event, data } of await eventsOf(api, runId, lastSeq)) {
        if (event === RUN_EVENTS.end && RunEnded.safeParse(JSON.parse(data)).success) return;
        if (event !== RUN_EVENTS.transition) continue;
        const transition = Transition.parse(JSON.parse(data));
        [lastSeq, lastAt] = [transition.seq, performance.now()];
        yield transition;
      }
    } catch (error) {
      // A broken connection is a TypeError of fetch; anything else is a fault of this program.
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
  throw new Error(`The event stream told nothing for ${patienceMs / 1000} s.`);
}

async function eventsOf(api: ApiClient, runId: string, lastSeq: number): Promise<ReadableStream<EventSourceMessage>> {
  const headers = { ...api.authorization, ...(lastSeq > 0 ? { 'last-event-id': String(lastSeq) } : {}) };
  const { ok, status, body } = await fetch(api.url + paths.events(runId), { headers });
  if (!ok || !body) throw new Error(`The event stream answered ${status}.`);
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}
