/**
 * Three kinds of tests, told apart by their names (docs: README "Tests"):
 *   unit         *.test.ts beside the code: pure, no server
 *   integration  *.int.test.ts beside the code: a database cloned from a migrated template, a real Redis
 *   e2e          tests/**\/*.e2e.test.ts: real processes
 */
const isPlanting = process.env.FLOWFORGE_FAILPOINTS || process.env.FLOWFORGE_MUTANT;
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/data'],
  testEnvironmentOptions: { customExportConditions: ['ff-src', 'node', 'node-addons'] },
  transform: {
    '^.+\\.ts$': [
      isPlanting ? '<rootDir>/tools/jest/planted-swc.mjs' : '@swc/jest',
      {
        swcrc: false,
        module: { type: 'es6' },
        sourceMaps: 'inline',
        jsc: {
          target: 'es2023',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
  },
};
const servers = { globalSetup: '<rootDir>/tools/jest/start-servers.mjs', globalTeardown: '<rootDir>/tools/jest/stop-servers.mjs' };

export default {
  testTimeout: 30_000,
  // Without a bound, a worker that has run many files keeps every module of each of them.
  workerIdleMemoryLimit: '1GB',
  maxWorkers: process.env.FLOWFORGE_TEST_WORKERS ?? 2,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.int\\.test\\.ts$', '\\.e2e\\.test\\.ts$'],
    },
    { ...shared, ...servers, displayName: 'integration', testMatch: ['<rootDir>/**/*.int.test.ts'] },
    { ...shared, ...servers, displayName: 'e2e', testMatch: ['<rootDir>/tests/**/*.e2e.test.ts'] },
  ],
};
