import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HTTP_CONTROLLERS } from '../api.module.ts';
import { openApiDocument } from './document.ts';

const text = JSON.stringify(openApiDocument(HTTP_CONTROLLERS), null, 2);
const document = JSON.parse(text);

describe('the OpenAPI document', () => {
  it('is the committed one (write it anew: npm run openapi)', () => {
    expect(readFileSync('docs/openapi.json', 'utf8').trim()).toBe(text);
  });

  it('describes every operation, with a name of its own, its permission and the schemas of its answers', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path as Record<string, Operation>));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const operation of operations) {
      expect(operation.summary).toEqual(expect.any(String));
      expect(operation.security ?? operation['x-permission']).toBeDefined();
      for (const status of ['400', '500']) expect(operation.responses[status]).toBeDefined();
      const success = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
      expect(success.length).toBeGreaterThan(0);
      for (const [, answer] of success) expect(JSON.stringify(answer)).toMatch(/#\/components\/schemas\/|text\/event-stream/);
    }
  });

  it('refers only to what it holds', () => {
    const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, pointer = '']) => pointer.split('/'));
    expect(references.length).toBeGreaterThan(100);
    for (const pointer of references)
      expect([pointer, pointer.reduce((node, key) => node?.[key], document) !== undefined]).toEqual([pointer, true]);
  });

  it('has no schema without a name of its own', () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['ErrorBody', 'Explanation', 'RunDetail', 'RunSummary', 'StepDetail', 'Transition', 'Workflow']),
    );
    expect(text).not.toContain('__shared');
    expect(text).not.toContain('#/$defs');
  });
});

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly security?: unknown;
  readonly 'x-permission'?: string;
  readonly responses: Record<string, unknown>;
}
