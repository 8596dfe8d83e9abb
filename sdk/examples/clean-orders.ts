import { z } from 'zod';
import { defineHandlers, defineStep, nonRetryable, StepFailure } from '#sdk';

const Order = z.object({ id: z.string(), amount: z.coerce.number(), currency: z.string().length(3) });

export const cleanOrders = defineStep({
  name: 'orders/clean',
  description: 'Drops what is no order and sums up the rest.',
  input: z.object({ rows: z.array(z.unknown()), currency: z.string().default('EUR') }),
  output: z.object({ orders: z.array(Order), dropped: z.number(), total: z.number() }),
  run: (ctx, { rows, currency }) => {
    const orders = rows.flatMap((row) => Order.safeParse(row).data ?? []).filter((order) => order.currency === currency);
    if (orders.length === 0) throw nonRetryable('orders.none', `None of the ${rows.length} rows is an order in ${currency}.`);
    ctx.log.info('cleaned', { kept: orders.length, of: rows.length });
    return { orders, dropped: rows.length - orders.length, total: orders.reduce((sum, { amount }) => sum + amount, 0) };
  },
});

export const bookOrders = defineStep({
  name: 'orders/book',
  input: z.object({ ledger: z.url(), total: z.number() }),
  heartbeatTimeoutSeconds: 60,
  run: async (ctx, { ledger, total }) => {
    const answer = await fetch(ledger, {
      method: 'POST',
      // The same in every attempt: the ledger books it once, however often the step is tried.
      headers: { 'idempotency-key': ctx.idempotencyKey, 'content-type': 'application/json' },
      body: JSON.stringify({ total, run: ctx.run.id }),
      signal: ctx.signal,
    });
    if (answer.status === 429) throw new StepFailure('ledger.busy', 'The ledger asks to wait.', { retryAfterSeconds: 30 });
    if (!answer.ok) throw new StepFailure('ledger.failed', `The ledger answered ${answer.status}.`);
    return { booked: total };
  },
});

export default defineHandlers([cleanOrders, bookOrders]);
