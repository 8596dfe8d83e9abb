/**
 * One run of every kind of step in a process of its own, for tests that must run it elsewhere: in another network namespace, as another
 * user. Prints one line of JSON. The argument is the data folder.
 */
import { networkInterfaces } from 'node:os';
import { Ledger } from '../../harness/ledger.ts';
import { LocalProfile } from '../../harness/local-profile.ts';
import { EVERY_KIND, HANDLERS } from './workflows.ts';

const ledger = new Ledger();
const url = await ledger.start();
const local = await LocalProfile.start(process.argv[2] ?? '', { HANDLERS });
const { state } = await local.api.ended(await local.api.run(await local.api.apply(EVERY_KIND), { ledger: url }));
const { code } = await local.process.kill('SIGTERM');
await ledger.stop();
console.log(
  JSON.stringify({ uid: process.getuid?.(), networks: Object.keys(networkInterfaces()), state, effects: ledger.effects.size, code }),
);
