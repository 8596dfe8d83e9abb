import { describe, expect, it } from '@jest/globals';
import { idAt, momentOf } from './run-id.ts';

const id = '019b8b74-1b14-7402-9275-4683db752e3a';

describe('the moment in the id of a run', () => {
  it('is read, and changed with the rest kept', () => {
    expect(idAt(momentOf(id), id)).toBe(id);
    expect(momentOf(idAt(momentOf(id) + 1.7, id))).toBe(momentOf(id) + 1);
    expect(idAt(momentOf(id) + 5, id).slice(14)).toBe(id.slice(14));
  });

  it('orders ids', () => {
    expect(idAt(momentOf(id) - 1, id) < id).toBe(true);
    expect(idAt(-5, id)).toBe('00000000-0000-7402-9275-4683db752e3a');
  });
});
