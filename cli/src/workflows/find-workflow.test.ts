import { describe, expect, it } from '@jest/globals';
import { parseWorkflowName, qualifiedName } from './find-workflow.ts';

describe('the name of a workflow', () => {
  it.each([
    ['orders', { name: 'orders', team: undefined, environment: undefined }],
    ['production/orders', { name: 'orders', team: undefined, environment: 'production' }],
    ['production/finance/orders', { name: 'orders', team: 'finance', environment: 'production' }],
    ['production/-/orders', { name: 'orders', team: null, environment: 'production' }],
    ['-/orders', { name: 'orders', team: undefined, environment: null }],
    ['-/-/orders', { name: 'orders', team: null, environment: null }],
  ])('%s is understood', (text, parts) => {
    expect(parseWorkflowName(text)).toEqual(parts);
  });

  it.each(['', '/', 'a/', '/a', 'a//b', 'a/b/c/d'])('%j is refused', (text) => {
    expect(() => parseWorkflowName(text)).toThrow(expect.objectContaining({ code: 'cli.workflow_name_malformed', exitCode: 2 }));
  });

  it('comes back as it was written out', () => {
    for (const name of ['-/-/a', 'production/-/a', 'production/finance/a']) {
      const { environment = null, team = null, name: last } = parseWorkflowName(name);
      expect(qualifiedName({ environment, team, name: last })).toBe(name);
    }
  });
});
