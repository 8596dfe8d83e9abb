import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escaped } from './svg.ts';

const WIDTH = 1200;
const ROW = 16;
const HEAD = 50;
/** A frame narrower than this share of all is left out, with all above it. */
const SHARE_MIN = 0.003;
/** Rows drawn: deeper there is nothing but modules that load each other. */
const ROWS_MAX = 40;
const LETTER = 6.2;
/** Frames in which the thread had nothing to do. */
const IDLE = new Set(['(idle)', '(program)']);

/** What `node --cpu-prof` writes: a tree of frames, and which of them was seen after how many microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function on the stack with the time spent in it and in what it called; its callees by their names. */
export interface Frame {
  readonly name: string;
  readonly origin: string;
  us: number;
  readonly callees: Map<string, Frame>;
}

/** Draws a flame graph of each service's profile in a folder: `<service>.svg`. Processes that are none of them are left out. Returns the files. */
export async function drawFlames(folder: string, services: Readonly<Record<string, number | undefined>>): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const drawn: string[] = [];
  for (const [service, pid] of Object.entries(services)) {
    // node names them CPU.<date>.<time>.<pid>.<thread>.<number>
    const file = files.find((name) => name.split('.')[3] === String(pid) && name.split('.')[4] === '0');
    if (file === undefined) continue;
    const target = join(folder, `${service}.svg`);
    await writeFile(target, flamePicture(service, framesOf(JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile)));
    drawn.push(target);
  }
  return drawn;
}

/** The profile as one tree in which calls of the same function from the same place are one. */
export function framesOf({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callerOf = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const root: Frame = { name: 'all', origin: '', us: 0, callees: new Map() };
  const frames = new Map<number, Frame>();
  const frameOf = (id: number): Frame => {
    const known = frames.get(id);
    if (known) return known;
    const caller = callerOf.get(id);
    const frame = caller === undefined ? root : calleeOf(frameOf(caller), byId.get(id)?.callFrame);
    frames.set(id, frame);
    return frame;
  };
  for (const [at, id] of samples.entries()) {
    if (IDLE.has(byId.get(id)?.callFrame.functionName ?? '')) continue;
    const us = timeDeltas[at] ?? 0;
    for (let step: number | undefined = id; step !== undefined; step = callerOf.get(step)) frameOf(step).us += us;
  }
  return root;
}

function calleeOf(caller: Frame, call: { readonly functionName: string; readonly url: string } | undefined): Frame {
  const origin = originOf(call?.url ?? '');
  const name = [call?.functionName === '' ? '(anonymous)' : (call?.functionName ?? ''), origin].filter((part) => part !== '').join(' ');
  const known = caller.callees.get(name);
  if (known) return known;
  const frame: Frame = { name, origin, us: 0, callees: new Map() };
  caller.callees.set(name, frame);
  return frame;
}

/** The package, or the file within the project, or Node's own module. */
function originOf(url: string): string {
  const [, inPackage] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (inPackage !== undefined) return inPackage;
  const [, inProject] = /\/((?:services|libs|sdk|tools|tests)\/.+)$/.exec(url) ?? [];
  return inProject ?? url;
}

/** SVG: each row calls the one below it, widths are time. Ours blue, packages green, Node and V8 grey. */
export function flamePicture(title: string, root: Frame): string {
  const rects: string[] = [];
  let deepest = 0;
  const draw = (frame: Frame, left: number, depth: number): void => {
    if (frame.us < root.us * SHARE_MIN || depth >= ROWS_MAX) return;
    deepest = Math.max(deepest, depth);
    const width = (frame.us / root.us) * WIDTH;
    const share = ((frame.us / root.us) * 100).toFixed(1);
    const letters = Math.floor(width / LETTER);
    const label =
      letters > 3
        ? `<text x="${(left + 2).toFixed(1)}" y="${HEAD + depth * ROW + 11}">${escaped(frame.name.slice(0, letters))}</text>`
        : '';
    rects.push(
      `<g><title>${escaped(frame.name)}: ${share} %</title><rect x="${left.toFixed(1)}" y="${HEAD + depth * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colourOf(frame.origin)}"/>${label}</g>`,
    );
    let at = left;
    for (const callee of [...frame.callees.values()].toSorted((one, other) => other.us - one.us)) {
      draw(callee, at, depth + 1);
      at += (callee.us / root.us) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = HEAD + (deepest + 1) * ROW + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="10">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="20" font-size="15">${escaped(title)}</text>`,
    `<text x="8" y="38" font-size="11" fill="#555555">${(root.us / 1e6).toFixed(1)} s of the main thread; a row calls the one below it; frames below ${SHARE_MIN * 100} % are left out</text>`,
    ...rects,
    '</svg>',
    '',
  ].join('\n');
}

function colourOf(origin: string): string {
  if (/^(services|libs|sdk|tools|tests)\//.test(origin)) return '#8db9e8';
  return origin === '' || origin.startsWith('node:') ? '#cfd6dd' : '#a9d8b8';
}
