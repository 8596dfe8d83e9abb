import { registerHooks } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { handlersOf, type StepHandler } from '#sdk';

/** Handlers import `@flowforge/sdk`: in a step process that is the worker's own copy, installed beside them or not. */
export function provideSdk(): void {
  const sdk = import.meta.resolve('#sdk');
  registerHooks({
    resolve: (specifier, context, next) => (specifier === '@flowforge/sdk' ? { url: sdk, shortCircuit: true } : next(specifier, context)),
  });
}

/**
 * Loads handler modules by path (`./x.ts`, relative to `folder`) or package name (found from `folder`). Throws when one brings no
 * handler, or two share a name.
 */
export async function loadHandlers(modules: readonly string[], folder: string): Promise<Map<string, StepHandler>> {
  const handlers = new Map<string, StepHandler>();
  for (const module of modules) {
    const found = handlersOf(await importFrom(module, folder));
    if (found.length === 0) throw new TypeError(`${module} exports no handler; export what defineStep returns.`);
    for (const handler of found) {
      if (handlers.has(handler.name)) throw new TypeError(`${module} defines ${handler.name}, which another module defines too.`);
      if (!handler.name.includes('/'))
        throw new TypeError(`${module} defines ${handler.name}: names without a namespace are built-in kinds.`);
      handlers.set(handler.name, handler);
    }
  }
  return handlers;
}

async function importFrom(module: string, folder: string): Promise<Record<string, unknown>> {
  if (isAbsolute(module) || module.startsWith('.')) return await import(pathToFileURL(join(isAbsolute(module) ? '' : folder, module)).href);
  const from = pathToFileURL(join(folder, 'package.json')).href;
  const hook = registerHooks({
    resolve: (specifier, context, next) => next(specifier, specifier === module ? { ...context, parentURL: from } : context),
  });
  try {
    return await import(module);
  } finally {
    hook.deregister();
  }
}
