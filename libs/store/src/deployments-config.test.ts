import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readTenancyConfig } from './deployments-config.ts';

const [one, two] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowforge-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const file = (text: string) => {
  const path = join(folder, `${Math.random()}.yaml`);
  writeFileSync(path, text);
  return { FLOWFORGE_CONFIG: path };
};
const idOf = (env: Record<string, string>, environment: string | null, team: string | null = null) =>
  readTenancyConfig(env).deployments.find((deployment) => deployment.environment === environment && deployment.team === team)?.id;
const codeOf = (env: Record<string, string>) => {
  try {
    readTenancyConfig(env);
    return 'accepted';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

describe('readTenancyConfig', () => {
  it('has the deployments of a fresh install when nothing is configured', () => {
    const config = readTenancyConfig({});
    expect(config.deployments).toHaveLength(8);
    expect(config.deployments.find(({ name }) => name === 'flowforge-medallion/production-finance')).toMatchObject({
      id: 'ae5f30cf-d05e-48e6-83b3-36107914f782',
      pool: 'flowforge-production',
      namespace: 'flowforge-production-finance',
    });
    expect([config.installationEnvironment, config.strict, config.warnings]).toEqual(['production', false, []]);
  });

  it.each([
    ['FLOWFORGE_DEPLOYMENT_PRODUCTION', 'production', null, 0],
    ['PREFECT_DEPLOYMENT_ID_UAT', 'uat', null, 1],
    ['PREFECT_DEPLOYMENT_UAT', 'uat', null, 1],
    ['FLOWFORGE_DEPLOYMENT_PRODUCTION_FINANCE', 'production', 'finance', 0],
    ['PREFECT_DEPLOYMENT_PRODUCTION_DATA_SCIENCE', 'production', 'data-science', 1],
    ['FLOWFORGE_DEPLOYMENT_ID', null, null, 0],
    ['PREFECT_DEPLOYMENT_ID', null, null, 1],
  ])('takes %s for %s / %s', (variable, environment, team, warnings) => {
    expect(idOf({ [variable]: one }, environment, team)).toBe(one);
    expect(readTenancyConfig({ [variable]: one }).warnings).toHaveLength(warnings);
  });

  it('takes spellings that agree, and refuses those that differ, naming both', () => {
    expect(idOf({ PREFECT_DEPLOYMENT_ID_UAT: one, PREFECT_DEPLOYMENT_UAT: one, FLOWFORGE_DEPLOYMENT_UAT: one }, 'uat')).toBe(one);
    expect(() => readTenancyConfig({ PREFECT_DEPLOYMENT_ID_UAT: one, PREFECT_DEPLOYMENT_UAT: two })).toThrow(
      /PREFECT_DEPLOYMENT_ID_UAT and PREFECT_DEPLOYMENT_UAT/,
    );
  });

  it.each([
    ['an environment nobody knows', { FLOWFORGE_DEPLOYMENT_PROD: one }, 'config.deployments_invalid'],
    ['a team called id', { FLOWFORGE_DEPLOYMENT_PRODUCTION_ID: one }, 'team.reserved'],
    ['an id that is none', { FLOWFORGE_DEPLOYMENT_UAT: 'uat' }, 'config.deployments_invalid'],
    ['a team that cannot be one', { FLOWFORGE_DEPLOYMENT_UAT__: one }, 'team.invalid'],
    ['an ENVIRONMENT nobody knows', { ENVIRONMENT: 'staging' }, 'config.deployments_invalid'],
    ['a file that is not there', { FLOWFORGE_CONFIG: '/nowhere.yaml' }, 'config.deployments_invalid'],
  ])('refuses %s', (_, env, code) => {
    expect(codeOf(env)).toBe(code);
  });

  it('reads environments, teams, pools and deployments from the file, which variables overrule', () => {
    const env = file(`
environments: [perf-lab]
teams: [data-science, { name: finance, weight: 3, concurrencyLimit: 5 }]
deployments:
  - { id: ${one}, environment: perf-lab, team: data-science, concurrencyLimit: 4 }
  - { id: ${one.replaceAll('1', '3')}, environment: qa }
`);
    const config = readTenancyConfig({ ...env, FLOWFORGE_DEPLOYMENT_QA: two });
    expect(config.environments).toContain('perf-lab');
    expect(config.teams).toEqual(
      expect.arrayContaining([
        { name: 'finance', weight: 3, concurrencyLimit: 5 },
        { name: 'data-science', weight: 1, concurrencyLimit: null },
      ]),
    );
    expect(config.pools.map(({ name }) => name)).toContain('flowforge-perf-lab');
    expect(config.deployments.find(({ team }) => team === 'data-science')).toMatchObject({
      name: 'flowforge-medallion/perf-lab-data-science',
      namespace: 'flowforge-perf-lab-data-science',
      concurrencyLimit: 4,
    });
    expect(idOf({ ...env, FLOWFORGE_DEPLOYMENT_QA: two }, 'qa')).toBe(two);
  });

  it('gives the longer environment a key that two could claim', () => {
    const env = file('environments: [perf, perf-lab]');
    expect(idOf({ ...env, FLOWFORGE_DEPLOYMENT_PERF_LAB: one }, 'perf-lab')).toBe(one);
  });

  it('refuses two deployments whose keys are the same', () => {
    const env = file(`
environments: [perf, perf-lab]
deployments:
  - { id: ${one}, environment: perf, team: lab-x }
  - { id: ${two}, environment: perf-lab, team: x }
`);
    expect(codeOf(env)).toBe('config.deployments_invalid');
  });

  it('refuses a file with a field nobody knows, naming it', () => {
    expect(() => readTenancyConfig(file('pool: x'))).toThrow(/pool/);
  });
});
