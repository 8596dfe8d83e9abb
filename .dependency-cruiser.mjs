/**
 * Who may import whom:
 *   core ◄ contracts ◄ {definitions, store, transport, telemetry, embedded, connectors} ◄ services/{api,scheduler,worker} ◄ services/local
 *   sdk and cli know contracts (and definitions, to validate offline); testing is for tests only.
 * An adapter knows one technology, so each technology is named once here with the only folder that may import it.
 */
const tests = '(\\.test\\.ts$|/conformance/|^tests/|/testing/|^tools/jest/)';

/** The parts of the tree and the other parts that each may import; nothing else of ours. */
const mayImport = {
  core: [],
  contracts: ['core'],
  definitions: ['core', 'contracts'],
  store: ['core', 'contracts'],
  transport: [],
  telemetry: ['core', 'contracts'],
  embedded: ['core', 'contracts'],
  connectors: ['core', 'contracts', 'sdk'],
};
const folderOf = (part) => (part === 'sdk' || part === 'cli' ? `^${part}/` : `^libs/${part}/`);
const ours = '^(libs|services|sdk|cli|tests|tools)/';

const layers = Object.entries(mayImport).map(([part, others]) => ({
  name: `layer-${part}`,
  comment: `libs/${part} may import only ${['itself', ...others].join(', ')}.`,
  severity: 'error',
  from: { path: folderOf(part), pathNot: tests },
  to: { path: ours, pathNot: [part, ...others].map(folderOf).join('|') },
}));

const onlyIn = (technology, folders) => ({
  name: `only-there-${technology}`,
  comment: `${technology} is the business of ${folders}.`,
  severity: 'error',
  from: { path: '^(libs|services|sdk|cli)/', pathNot: `${folders}|${tests}|^libs/testing/` },
  to: { path: `node_modules/${technology}/`, dependencyTypesNot: ['type-only'] },
});

export default {
  forbidden: [
    { name: 'no-cycles', comment: 'A cycle hides who depends on whom.', severity: 'error', from: { path: ours }, to: { circular: true } },
    { name: 'not-resolved', comment: 'The import leads nowhere.', severity: 'error', from: { path: ours }, to: { couldNotResolve: true } },
    ...layers,
    {
      name: 'core-is-plain',
      comment: 'The domain knows no framework, clock, randomness, file or network: time and ids come in as arguments.',
      severity: 'error',
      from: { path: '^libs/core/', pathNot: tests },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'core'] },
    },
    {
      name: 'services-apart',
      comment: 'Services meet in messages and in the database; only services/local wires them into one process.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: `^services/local/|${tests}` },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'nothing-above-services',
      comment: 'What serves a service does not know it.',
      severity: 'error',
      from: { path: '^(libs|sdk)/', pathNot: tests },
      to: { path: '^(services|cli|tests)/' },
    },
    {
      name: 'sdk-knows-contracts',
      comment: 'The SDK is installed by strangers: it brings nothing of the engine with it.',
      severity: 'error',
      from: { path: '^sdk/', pathNot: tests },
      to: { path: ours, pathNot: '^(sdk|libs/(core|contracts))/' },
    },
    {
      name: 'cli-knows-contracts',
      comment:
        'The command line talks HTTP; it validates definitions offline, and `dev` and `doctor` load what they need when they are called.',
      severity: 'error',
      from: { path: '^cli/', pathNot: tests },
      to: { path: ours, pathNot: '^(cli|sdk|libs/(core|contracts|definitions|telemetry))/', dynamic: false },
    },
    {
      name: 'tests-only',
      comment: 'libs/testing starts servers and kills processes; nothing that ships may lean on it.',
      severity: 'error',
      from: { path: ours, pathNot: `${tests}|^libs/testing/` },
      to: { path: '^(libs/testing|tests)/' },
    },
    {
      name: 'public-door',
      comment: 'A library is imported by its name (#store), which leads to its public index.',
      severity: 'error',
      from: { path: '^(?:libs|services)/([^/]+)/', pathNot: tests },
      to: { path: '^libs/([^/]+)/', pathNot: '^libs/($1/|[^/]+/src/index\\.ts$)' },
    },
    onlyIn('pg', '^libs/(store|embedded)/'),
    onlyIn('typeorm', '^libs/store/'),
    onlyIn('ioredis', '^libs/transport/'),
    onlyIn('pino', '^libs/telemetry/'),
    {
      name: 'no-dev-dependencies',
      comment: 'What ships is installed without dev dependencies.',
      severity: 'error',
      from: { path: '^(libs|services|sdk|cli)/', pathNot: `${tests}|^libs/testing/` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The peers of the bench have packages of their own, which are installed only when they are measured.
    exclude: { path: '^(dist|data|tests/bench/peers)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['ff-src', 'import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
