import pg from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;

/** Runs statements on a connection of its own. `answerWithinMs`: when nobody answers by then, it rejects. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>, answerWithinMs = 30_000): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'chaos',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: answerWithinMs,
  });
  // A stopping server tells every session; the statement under way reports it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
