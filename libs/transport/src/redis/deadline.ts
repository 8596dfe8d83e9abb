/**
 * Settles as `work` does, or rejects with what `late` returns after `timeoutMs`. When this process itself was held up, the
 * answer may already lie in the socket: it gets one round of the event loop before the other side is blamed.
 */
export function withDeadline<T>(work: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const giveUp = () => {
      if (!settled) reject(late());
    };
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), timeoutMs);
    const settle = () => {
      settled = true;
      clearTimeout(timer);
    };
    work.then(
      (value) => {
        settle();
        resolve(value);
      },
      (thrown: unknown) => {
        settle();
        reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      },
    );
  });
}
