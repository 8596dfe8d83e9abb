/** Makes a test template with the schema of the mutant that is planted in this process. Arguments: the superuser's url, name, the roles' password. */
import { makeTestTemplate } from '../../libs/testing/src/template.ts';

const [url = '', name = '', password = ''] = process.argv.slice(2);
await makeTestTemplate(url, name, password);
