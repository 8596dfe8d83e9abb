import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type TestDatabase, databaseServers } from '#testing';
import { type ElementType, arrayTypesOf, binaryArray } from './binary-array.ts';
import { HotConnection } from './hot-connection.ts';
import type { Statement } from './statement.ts';

describe('the types of parameters', () => {
  it('are read from the casts of a statement', () => {
    const text = 'select from unnest($1::uuid[], $3::int[]) where a = $2 and b = any($4::text[]) and c = $5::int and d = any($6::bytea[])';
    expect(arrayTypesOf(text)).toEqual(['uuid', undefined, 'int', 'text']);
  });
});

/** Values of each type, those that have no binary form among them. */
const VALUES: Readonly<Record<ElementType, fc.Arbitrary<unknown>>> = {
  bool: fc.oneof(fc.boolean(), fc.constantFrom('true', 'f')),
  int: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, '7')),
  // The text form of -0 has no sign.
  real: fc.oneof(fc.float(), fc.integer({ min: -1000, max: 1000 })).filter((value) => !Object.is(value, -0)),
  float8: fc.double().filter((value) => !Object.is(value, -0)),
  text: fc.oneof(
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u0000')),
    fc.constantFrom('', 'null', 'NULL', '"', '\\', '{a,b}', ' a ', '😀', '\ud800'),
  ),
  uuid: fc.oneof(
    fc.uuid(),
    fc.uuid().map((id) => id.toUpperCase()),
    fc.uuid().map((id) => `{${id}}`),
    fc.uuid().map((id) => id.replaceAll('-', '')),
  ),
};

describe.each(databaseServers())('a binary array on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let connection: HotConnection;

  beforeAll(async () => {
    database = await cloneDatabase();
    connection = new HotConnection(database.schedulerUrl, 'binary-array');
  });
  afterAll(async () => {
    await connection.close();
    await database.drop();
  });

  const stored = async (type: ElementType, values: readonly unknown[], arrays: Statement['arrays']) => {
    const statement = {
      name: `${type} ${arrays ? 'binary' : 'text'}`,
      text: `select $1::${type}[]::text as stored`,
      ...(arrays ? { arrays } : {}),
    };
    return (await connection.query<{ stored: string }>(statement, [values]))[0]?.stored;
  };

  it.each(Object.keys(VALUES) as ElementType[])('arrives as the text form does: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(VALUES[type], { freq: 10 }), { maxLength: 20 }), async (values) => {
        expect(await stored(type, values, [type])).toBe(await stored(type, values, undefined));
      }),
      { numRuns: 60 },
    );
  });

  it.each<[ElementType, unknown]>([
    ['int', 2 ** 31],
    ['int', 1.5],
    ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g'],
    ['uuid', 'ä0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['bool', 'perhaps'],
  ])('leaves it to the server to word what is no %s: %s', async (type, value) => {
    expect(binaryArray([value], type)).toBeNull();
    await expect(stored(type, [value], [type])).rejects.toMatchObject({ code: expect.stringMatching(/^22/) });
  });

  it('refuses a text that no database can store, as the text form does', async () => {
    await expect(stored('text', ['a\u0000'], ['text'])).rejects.toMatchObject({ code: '22021' });
  });

  it('brings the answers of statements that left in one packet in their order', async () => {
    const answers = await connection.transaction(async (tx) =>
      Promise.all([1, 2, 3].map((no) => tx.query<{ no: number }>({ name: 'no', text: 'select $1::int as no' }, [no]))),
    );
    expect(answers.flat().map(({ no }) => no)).toEqual([1, 2, 3]);
  });
});
