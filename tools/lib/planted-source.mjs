/**
 * Plants code in the sources under test before they are compiled. The build never comes here, so what is planted exists in test processes only.
 *   FLOWFORGE_FAILPOINTS=<folder>  each marker line `// failpoint p10: …` becomes, on the same line, a call of `globalThis.__failpoint`,
 *                                  which `failpoint-agent.mjs` declares
 *   FLOWFORGE_MUTANT=<name>        the mutant of that name (`tests/mutants/mutants.mjs`) is applied to its file
 * Loaded only when one of them is set: ordinary runs read nothing of it.
 */
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { project } from './project.mjs';

/** A marker: a comment of its own line, with the point's name and what is true there. */
export const failpointMarker = /^([ \t]*)\/\/ failpoint (p\d+): \S.*$/gm;

const plantsFailpoints = Boolean(process.env.FLOWFORGE_FAILPOINTS);
const mutant = process.env.FLOWFORGE_MUTANT ? await findMutant(process.env.FLOWFORGE_MUTANT) : undefined;

/** @param {string} file absolute path @param {string} source @returns {string} the source with what the environment asks for */
export function plant(file, source) {
  const path = relative(project, file).replaceAll('\\', '/');
  const mutated = mutant ? mutate(mutant, path, source) : source;
  return plantsFailpoints ? mutated.replace(failpointMarker, '$1globalThis.__failpoint("$2");') : mutated;
}

/**
 * Each place must be found exactly once, or the load throws: a mutant that changed nothing would count as one that no test catches.
 * @param {{ name: string, file: string, find: string, replace: string, also?: { file: string, find: string, replace: string }[] }} mutant
 * @param {string} path relative to the project @param {string} source
 */
export function mutate(mutant, path, source) {
  let mutated = source;
  for (const { file, find, replace } of [mutant, ...(mutant.also ?? [])]) {
    if (file !== path) continue;
    const found = mutated.split(find).length - 1;
    if (found !== 1) throw new Error(`Mutant ${mutant.name}: its text occurs ${found} times in ${path}, not once.`);
    mutated = mutated.replace(find, () => replace);
  }
  return mutated;
}

/** @param {string} name */
async function findMutant(name) {
  const { mutants } = await import(pathToFileURL(join(project, 'tests', 'mutants', 'mutants.mjs')).href);
  const found = mutants.find((one) => one.name === name);
  if (!found) throw new Error(`There is no mutant ${name} in tests/mutants/mutants.mjs.`);
  return found;
}
