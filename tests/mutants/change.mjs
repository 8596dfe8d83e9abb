/**
 * Where a mutant changes the sources. Each text to be found occurs exactly once in its file: `mutants.test.ts` keeps it so.
 * SQL is changed in the code that reads it, so that the files themselves, and what a build makes of them, stay as they are.
 */

/** @param {string} file @param {string} find @param {string} replace */
export function inFile(file, find, replace) {
  return { file, find, replace };
}

/**
 * A statement of the hot path (`libs/store/src/queries/<name>.sql`), changed as it is read.
 * @param {string} name @param {...[string, string]} changes
 */
export function inStatement(name, ...changes) {
  const file = 'libs/store/src/statement.ts';
  const find = 'return { name, text, arrays: arrayTypesOf(text) };';
  const replace = `return { name, text: name === ${JSON.stringify(name)} ? ${replacing('text', changes)} : text, arrays: arrayTypesOf(text) };`;
  return { file, find, replace, sql: { file: `libs/store/src/queries/${name}.sql`, finds: changes.map(([text]) => text) } };
}

/**
 * The schema (`libs/store/src/migrations/<name>.up.sql`), changed as the migration is applied: needs a database migrated with the mutant.
 * @param {string} name @param {...[string, string]} changes
 */
export function inMigration(name, ...changes) {
  const file = 'libs/store/src/migrations/sql-migration.ts';
  const read = "readFileSync(new URL(file, import.meta.url), 'utf8')";
  const replace = `return file === '${name}.up.sql' ? ${replacing(read, changes)} : ${read};`;
  const sql = { file: `libs/store/src/migrations/${name}.up.sql`, finds: changes.map(([text]) => text) };
  return { file, find: `return ${read};`, replace, sql };
}

/** @param {string} text @param {[string, string][]} changes */
function replacing(text, changes) {
  return changes.reduce((code, [find, replace]) => `${code}.replace(${JSON.stringify(find)}, () => ${JSON.stringify(replace)})`, text);
}
