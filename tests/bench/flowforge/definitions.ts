/** The workflows that the bench runs. Steps do nothing; a step `bench/mark` says when user code runs. */
const head = (name: string, more = '') => `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: bench-${name} }
spec:
  environment: production
${more}  steps:
`;
const marked = (socket: string, needs: string) => `{ uses: bench/mark, with: { socket: ${JSON.stringify(socket)} }${needs} }`;

/** One step that does nothing: six audit rows. */
export function singleStep(name = 'single'): string {
  return `${head(name)}    only: { uses: noop }\n`;
}

/** `length` steps in a row that do nothing. */
export function chainOf(length: number): string {
  const steps = Array.from({ length }, (_, at) => `    s${at + 1}: { uses: noop${at === 0 ? '' : `, needs: [s${at}]`} }\n`);
  return head(`chain-${length}`) + steps.join('');
}

/** The same, its last step user code that says when it runs. */
export function markedChainOf(length: number, socket: string): string {
  const steps = Array.from({ length: length - 1 }, (_, at) => `    s${at + 1}: { uses: noop${at === 0 ? '' : `, needs: [s${at}]`} }\n`);
  return `${head(`marked-chain-${length}`) + steps.join('')}    s${length}: ${marked(socket, `, needs: [s${length - 1}]`)}\n`;
}

/** One step of user code that says when it runs. */
export function markedStep(socket: string): string {
  return `${head('marked')}    only: ${marked(socket, '')}\n`;
}

/** `width` steps at once, and a join that says when it runs. */
export function markedFanOf(width: number, socket: string): string {
  const names = Array.from({ length: width }, (_, at) => `b${at + 1}`);
  const branches = names.map((name) => `    ${name}: { uses: noop }\n`).join('');
  return `${head(`fan-${width}`) + branches}    join: ${marked(socket, `, needs: [${names.join(', ')}]`)}\n`;
}

/** Runs that wait for each other: the first waits for an hour, and the others stay in the queue. */
export function heldRuns(): string {
  return `${head('held', '  concurrency: { limit: 1 }\n')}    pause: { uses: delay, with: { duration: 1h } }\n`;
}
