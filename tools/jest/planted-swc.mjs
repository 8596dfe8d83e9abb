/** `@swc/jest` over planted sources (tools/lib/planted-source.mjs). Used only when something is to be planted. */
import swcJest from '@swc/jest';
import { plant } from '../lib/planted-source.mjs';

export default {
  createTransformer(options) {
    const swc = swcJest.createTransformer(options);
    return {
      ...swc,
      process: (source, file, settings) => swc.process(plant(file, source), file, settings),
      processAsync: (source, file, settings) => swc.processAsync(plant(file, source), file, settings),
      getCacheKey: (source, file, ...settings) => swc.getCacheKey(plant(file, source), file, ...settings),
    };
  },
};
