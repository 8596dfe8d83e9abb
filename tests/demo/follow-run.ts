import { EventSourceParserStream } from 'eventsource-parser/stream';
import { paths, RUN_EVENTS, RunEnded, Transition } from '#contracts';
import type { ApiClient } from '../harness/api-client.ts';

/** How often a broken stream is taken up again. */
const connectionsMax = 5;

/** The transitions of a run as they happen, by server-sent events, until it has ended. A connection that breaks is taken up where it was. */
export async function* followRun(api: ApiClient, runId: string): AsyncGenerator<Transition> {
  let lastSeq = 0;
  for (let connection = 1; connection <= connectionsMax; connection += 1) {
    const headers = { ...api.authorization, ...(lastSeq > 0 ? { 'last-event-id': String(lastSeq) } : {}) };
    const answer = await fetch(api.url + paths.events(runId), { headers });
    if (!answer.ok || !answer.body) throw new Error(`The event stream answered ${answer.status}.`);
    for await (const { event, data } of answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
      if (event === RUN_EVENTS.end && RunEnded.safeParse(JSON.parse(data)).success) return;
      if (event !== RUN_EVENTS.transition) continue;
      const transition = Transition.parse(JSON.parse(data));
      lastSeq = transition.seq;
      yield transition;
    }
  }
  throw new Error(`The event stream broke ${connectionsMax} times.`);
}
