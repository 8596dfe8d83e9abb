import { PEER_CATALOG, type Peer } from './comparison/catalog.ts';
import { installPeers } from './comparison/install.ts';
import { measurePeer } from './comparison/measure-peer.ts';
import { summarize } from './figures.ts';
import type { AuditVerdict } from './flowforge/audit.ts';
import { LIMITS_SET } from './flowforge/world.ts';
import { describeMachine } from './measure/machine.ts';
import type { BenchOptions } from './options.ts';
import { say, Telling } from './report/say.ts';
import { tellStatements } from './report/statements.ts';
import { report } from './report/write.ts';
import { measureRound } from './round.ts';
import { Servers } from './servers.ts';
import { type PeerSizes, sizesOf } from './sizes.ts';

/** Measures FlowForge, the limits, and the peers that were asked for, round by round. Returns whether all runs ended well and the audit is exact. */
export async function runWorkloads(options: BenchOptions): Promise<boolean> {
  const peers = PEER_CATALOG.filter(({ name }) => options.peers.includes(name));
  if (peers.length > 0) await installPeers(say);
  const machine = describeMachine();
  say(`Machine: ${machine}. Starting PostgreSQL and Redis …`);
  const servers = await Servers.start({ statements: options.statements });
  const progress = new Telling();
  const audits: AuditVerdict[] = [];
  const notes: string[] = [];
  try {
    const settings = await servers.describe();
    say(`Servers: ${JSON.stringify(settings)}`);
    say(`Limits set: ${JSON.stringify(LIMITS_SET)}`);
    const sizes = sizesOf(options.quick);
    const after = options.statements ? tellStatements : undefined;
    for (let round = 1; round <= options.repetitions; round += 1) {
      say(`Round ${round} of ${options.repetitions}`);
      const { only, profile } = options;
      audits.push(await measureRound(servers, { sizes, only, profile, ...(after ? { after } : {}) }, progress));
      for (const peer of peers) notes.push(...(await tryPeer(peer, servers, sizes.peers, only, progress)));
    }
    const { figures } = progress;
    const found = {
      at: new Date().toISOString(),
      machine,
      command: commandOf(),
      rounds: options.repetitions,
      servers: settings,
      limitsSet: LIMITS_SET,
    };
    await report({ ...found, figures, summaries: summarize(figures), audits, notes }, options);
  } finally {
    await servers.stop();
  }
  const wrong = audits.filter(({ exact }) => !exact);
  for (const audit of wrong) say(`The audit is NOT exact, or runs were lost: ${JSON.stringify(audit)}`);
  return wrong.length === 0;
}

/** What a peer cannot do is a note, and no end of the bench. */
async function tryPeer(peer: Peer, servers: Servers, sizes: PeerSizes, only: readonly string[], progress: Telling): Promise<string[]> {
  try {
    await measurePeer(peer, servers, sizes, only, progress);
    return [];
  } catch (error) {
    const note = `${peer.name} could not be measured to the end: ${error instanceof Error ? error.message : String(error)}`;
    say(`  ${note}`);
    return [note];
  }
}

function commandOf(): string {
  return `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim();
}
