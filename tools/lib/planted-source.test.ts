import { describe, expect, it } from '@jest/globals';
import { failpointMarker, mutate } from './planted-source.mjs';

describe('planted sources', () => {
  it('replace a marker on its own line, so that all other lines keep their numbers', () => {
    const source = 'a();\n  // failpoint p7: sent, not marked\n  b(); // failpoint p8: not a line of its own\n';

    expect(source.replace(failpointMarker, '$1hit("$2");')).toBe('a();\n  hit("p7");\n  b(); // failpoint p8: not a line of its own\n');
  });

  it('change the one place that a mutant names', () => {
    const mutant = { name: 'no-fence', file: 'libs/a.ts', find: 'same(token)', replace: 'true' };

    expect(mutate(mutant, 'libs/a.ts', 'if (same(token)) move();')).toBe('if (true) move();');
    expect(mutate(mutant, 'libs/b.ts', 'if (same(token)) move();')).toBe('if (same(token)) move();');
  });

  it.each(['none here', 'same(token) || same(token)'])('refuse a mutant that does not fit: %s', (source) => {
    const mutant = { name: 'no-fence', file: 'libs/a.ts', find: 'same(token)', replace: 'true' };

    expect(() => mutate(mutant, 'libs/a.ts', source)).toThrow(/no-fence.*not once/);
  });
});
