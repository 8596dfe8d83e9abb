import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, makeTestFolder } from '#testing';
import type { Servers } from '../servers.ts';
import { BATCH_ITEMS, CHAIN_LENGTH, CONNECTIONS, FAN_WIDTH, GAP_MS } from '../sizes.ts';
import type { Peer } from './catalog.ts';

const driverFile = fileURLToPath(new URL('../peers/driver.mjs', import.meta.url));
const END_WITHIN_MS = 5_000;

/** What a peer's driver saw. */
export interface PeerAnswer {
  readonly submitSeconds?: number;
  readonly seconds?: number;
  readonly latenciesMs?: readonly number[];
}

/** A peer's submitting process, with its worker and its server as children of it. */
export class PeerDriver {
  private constructor(private readonly child: ChildProcess) {}

  static async start(peer: Peer, servers: Servers, postgresUrl: string): Promise<PeerDriver> {
    const [service, ingress, admin, node] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const settings = {
      mode: peer.mode,
      postgresUrl,
      redisPort: servers.redis.port,
      folder: await makeTestFolder(peer.name),
      ports: { service, ingress, admin, node },
      atOnce: CONNECTIONS,
      batch: BATCH_ITEMS,
      chainLength: CHAIN_LENGTH,
      fanWidth: FAN_WIDTH,
      gapMs: GAP_MS,
    };
    const driver = new PeerDriver(fork(driverFile, [peer.adapter, JSON.stringify(settings)], { execArgv: [] }));
    await driver.next();
    return driver;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Throws with the peer's words when it could not. */
  async order(kind: string, count = 0): Promise<PeerAnswer> {
    const answer = this.next();
    this.child.send({ kind, count });
    const message = await answer;
    if (message.kind === 'failed') throw new Error(`${kind} failed: ${message.reason ?? ''}`);
    return message;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.connected) this.child.disconnect();
    await Promise.race([ended, pause(END_WITHIN_MS)]);
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }

  private next(): Promise<PeerAnswer & { kind: string; reason?: string }> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`The peer's driver ended with ${code}.`));
      this.child.once('exit', onExit);
      this.child.once('message', (message: PeerAnswer & { kind: string; reason?: string }) => {
        this.child.off('exit', onExit);
        resolve(message);
      });
    });
  }
}
