/** Writes docs/openapi.json from the routes: `npm run openapi`. A test compares. */
import { writeFileSync } from 'node:fs';
import { HTTP_CONTROLLERS } from '../services/api/src/api.module.ts';
import { openApiDocument } from '../services/api/src/openapi/document.ts';

writeFileSync(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(openApiDocument(HTTP_CONTROLLERS), null, 2)}\n`);
