/**
 * `npm run demo`: a real workflow on real data, with a source that is out of order and a process that is killed, and proof of how it went.
 * `npm run demo -- --help` says more.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import colours from 'picocolors';
import { readDataSet } from './data-set.ts';
import { LocalProfile } from './local-profile.ts';
import { accompanyRun, publishTemplate } from './medallion-run.ts';
import { readOptions } from './options.ts';
import { fact, heading, line, printVerdict, type Verdict } from './printing.ts';
import { SourceServer } from './source-server.ts';
import { showFaults, showInvariants, showResolution, showTable, showTimeline } from './verdicts.ts';

const template = fileURLToPath(new URL('../../templates/medallion/', import.meta.url));

const began = performance.now();
const options = readOptions(process.argv.slice(2));
const closers: (() => Promise<unknown>)[] = [];
let verdicts: Verdict[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void closeAll().then(() => process.exit(130)));
try {
  verdicts = await show();
} catch (error) {
  console.error(`\nThe demo could not go on: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  await closeAll();
}
const failed = verdicts.filter(({ holds }) => !holds);
const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
if (verdicts.length === 0 || failed.length > 0) {
  console.log(
    colours.red(
      `\n✗ ${verdicts.length === 0 ? 'The demo broke off' : `${failed.length} of ${verdicts.length} claims did not hold`}, after ${took}.`,
    ),
  );
  process.exit(1);
}
console.log(colours.green(`\n✓ All ${verdicts.length} claims held, in ${took}.`));
process.exit(0);

async function show(): Promise<Verdict[]> {
  await mkdir(options.out, { recursive: true });
  heading('The data');
  const dataSet = await readDataSet();
  fact('data set', `${dataSet.source}: ${dataSet.rows.length} films, ${dataSet.bytes.byteLength} bytes`);
  fact('sha256', dataSet.sha256);

  heading('The stage');
  const source = new SourceServer(dataSet, 2);
  const sourceUrl = await source.start();
  closers.push(() => source.stop());
  fact('source', `${sourceUrl} – answers 503 to the first ${source.failuresFirst} requests of the file`);
  const starting = performance.now();
  const profile = await LocalProfile.begin(`${template}steps/index.ts`);
  closers.push(() => stopProfile(profile));
  fact('FlowForge', `${profile.api.url} – one process (${profile.pid}), ready in ${((performance.now() - starting) / 1000).toFixed(1)} s`);
  fact('data folder', profile.dataDir);

  heading('The run, live');
  const workflowId = await publishTemplate(profile.api, `${template}workflow.yaml`);
  const run = await accompanyRun(profile, workflowId, sourceUrl, options.out);

  const seen = [
    ...showTimeline(run),
    ...(await showTable(dataSet, run)),
    ...showFaults(run, source),
    ...showResolution(run),
    ...(await showInvariants(profile, run)),
  ];
  heading('The verdict');
  for (const verdict of seen) printVerdict(verdict);
  return seen;
}

async function stopProfile(profile: LocalProfile): Promise<void> {
  const warnings = profile.lines.filter((text) => /"level":(50|60)\b|"level":"(error|fatal)"/.test(text));
  for (const text of warnings.slice(-5)) line(colours.dim(text));
  const code = await profile.stop(options.keep);
  if (code !== 0) console.error(`FlowForge ended with exit code ${code}:\n${profile.lines.slice(-20).join('\n')}`);
  if (options.keep) fact('kept', profile.dataDir);
}

/** The last one opened first. Safe to call twice. */
async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).toReversed()) await close().catch((error: unknown) => console.error(String(error)));
}
