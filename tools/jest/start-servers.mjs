/** Jest's global setup of the suites that need servers: PostgreSQL for all of them at once; Redis is found here, and started per file. */
import { findRedis, startTestServers } from '../../libs/testing/src/index.ts';

export default async function startServers() {
  const [{ servers, skipped }] = await Promise.all([startTestServers(), findRedis().catch(() => undefined)]);
  console.log(`\nTest servers: ${servers.map(({ name }) => name).join(', ')}`);
  for (const { name, reason } of skipped) console.log(`SKIPPED ${name}: ${reason}`);
}
