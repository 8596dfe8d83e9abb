/** The process that asks: apart from the bench, so that its processor time is told apart and its pace is not disturbed. */
import { setTimeout as pause } from 'node:timers/promises';
import { HttpLane, requestOf } from './http-lane.ts';
import { Marks, monotonicMs } from './marks.ts';
import type { DriverMessage, Order, Outcome, Request } from './messages.ts';

const [, , marksPath = ''] = process.argv;
const marks = await Marks.listen(marksPath);
const tell = (message: DriverMessage) => process.send?.(message);

process.on('message', (order: Order) => {
  carryOut(order).then(
    (outcome) => tell({ kind: 'done', outcome }),
    (error: unknown) => tell({ kind: 'failed', reason: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });

function carryOut(order: Order): Promise<Outcome> {
  switch (order.kind) {
    case 'many':
      return sendMany(order);
    case 'paced':
      return sendPaced(order);
    case 'starts':
      return sendStarts(order);
  }
}

/** Notes what came back. */
class Notes {
  readonly latenciesMs: number[] = [];
  private readonly began = monotonicMs();
  private refused = 0;
  private firstRefusal: string | null = null;

  refuse(words: string): void {
    this.refused += 1;
    this.firstRefusal ??= words.slice(0, 500);
  }

  outcome(): Outcome {
    const { latenciesMs, refused, firstRefusal } = this;
    return { seconds: (monotonicMs() - this.began) / 1000, latenciesMs, refused, firstRefusal };
  }
}

async function sendMany({ requests, count, connections }: Extract<Order, { kind: 'many' }>): Promise<Outcome> {
  const [first] = requests;
  if (!first) throw new Error('There is no request to send.');
  const wires = requests.map(wireOf);
  const lanes = await openLanes(first, Math.min(connections, count));
  const notes = new Notes();
  let sent = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (sent < count) {
        const wire = wires[sent % wires.length] ?? '';
        sent += 1;
        await askOnce(lane, wire, notes);
      }
    }),
  );
  return closeAll(lanes, notes);
}

/** An open loop: a request is due at its moment; what finds no free connection waits, and its waiting counts as latency. */
async function sendPaced({ request, perSecond, seconds, connections }: Extract<Order, { kind: 'paced' }>): Promise<Outcome> {
  const wire = wireOf(request);
  const lanes = await openLanes(request, connections);
  const notes = new Notes();
  const began = monotonicMs();
  const due = Math.round(perSecond * seconds);
  let taken = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (taken < due) {
        const moment = began + (taken * 1000) / perSecond;
        taken += 1;
        const early = moment - monotonicMs();
        if (early > 0) await pause(early);
        await askOnce(lane, wire, notes, Math.min(moment, monotonicMs()));
      }
    }),
  );
  return closeAll(lanes, notes);
}

async function sendStarts({ request, count, gapMs, withinMs }: Extract<Order, { kind: 'starts' }>): Promise<Outcome> {
  const wire = wireOf(request);
  const lanes = await openLanes(request, 1);
  const notes = new Notes();
  for (const lane of lanes) {
    for (let at = 0; at < count; at += 1) {
      const asked = monotonicMs();
      const { status, body } = await lane.ask(wire);
      if (status >= 300) throw new Error(`${status} ${body.slice(0, 300)}`);
      const { id } = JSON.parse(body) as { id: string };
      notes.latenciesMs.push((await marks.of(id, withinMs)) - asked);
      await pause(gapMs);
    }
  }
  return closeAll(lanes, notes);
}

async function askOnce(lane: HttpLane, wire: string | Buffer, notes: Notes, asked = monotonicMs()): Promise<void> {
  const { status, body } = await lane.ask(wire);
  notes.latenciesMs.push(monotonicMs() - asked);
  if (status >= 300) notes.refuse(`${status} ${body}`);
}

function openLanes({ host, port }: Request, count: number): Promise<HttpLane[]> {
  return Promise.all(Array.from({ length: count }, () => HttpLane.open(host, port)));
}

function closeAll(lanes: readonly HttpLane[], notes: Notes): Outcome {
  const outcome = notes.outcome();
  for (const lane of lanes) lane.close();
  return outcome;
}

function wireOf({ method, path, headers, body }: Request): Buffer {
  return requestOf(method, path, headers, body);
}
