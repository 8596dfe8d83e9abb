import { stopTestServers } from '../../libs/testing/src/index.ts';

export default async function stopServers() {
  await stopTestServers();
}
