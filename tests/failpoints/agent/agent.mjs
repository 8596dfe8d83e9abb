globalThis.__failpoint = () => undefined;
