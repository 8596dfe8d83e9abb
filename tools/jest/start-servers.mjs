/** Jest's global setup of the suites that need servers: PostgreSQL for all of them at once; Redis is found here, and started per file. */
import { appendFileSync } from 'node:fs';
import { findRedis, startTestServers, stopTestServers } from '../../libs/testing/src/index.ts';

export default async function startServers() {
  // Whoever runs many suites one after another brings a server for all of them, and ends it.
  if (process.env.FLOWFORGE_TEST_SERVERS) return;
  // A missing Redis fails the files that need one, with the reason; those that need none still run.
  const redis = findRedis().catch(() => undefined);
  try {
    const { servers, skipped } = await startTestServers();
    const found = await redis;
    console.error(`\nTest servers: ${[...servers.map(({ name }) => name), ...(found ? [`redis (${found.foundBy})`] : [])].join(', ')}`);
    for (const { name, reason } of skipped) {
      console.error(`SKIPPED ${name}: ${reason}`);
      if (process.env.FLOWFORGE_TEST_SKIPS) appendFileSync(process.env.FLOWFORGE_TEST_SKIPS, `${name}: ${reason}\n`);
    }
  } catch (error) {
    await stopTestServers();
    throw error;
  }
}
