/**
 * Runs inside of each process under test, loaded by tools/swc-hook.mjs when FLOWFORGE_FAILPOINTS names a folder. The runner writes there, as
 * `armed.json`, at which point what is to happen; a process that comes there claims it and tells so by a file. Everything is synchronous: a
 * point that nobody armed costs a few microseconds and changes no order of things.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';

/**
 * @typedef {object} Armed
 * @property {string} id names the files that tell of it
 * @property {string} point
 * @property {number} hit which arrival counts: 1 or 2
 * @property {'kill' | 'stop' | 'cut' | 'execute-then-error'} action
 * @property {number} afterMs how long after the arrival it happens
 * @property {boolean} [each] in every one of the processes, not only in the first that comes by
 * @property {number[]} pids processes (or children of them) in which it may happen; none: in any
 * @property {'postgres' | 'redis' | 'outside'} server the connections that break
 * @property {string[]} statements what the statement whose answer is lost holds one of; none: any
 * @property {boolean} silently connections end without an error of their own
 */

const folder = process.env.FLOWFORGE_FAILPOINTS;
const ports = {
  postgres: portOf(process.env.DATABASE_URL, 5432),
  redis: portOf(process.env.REDIS_URL, 6379),
};
/** How long the connection that is to break may take to open. */
const opensWithinMs = 1_000;
/** How long what was sent may take to be executed before the connection breaks. */
const executesWithinMs = 40;
const statementWithinMs = 10_000;

let text = '';
/** @type {Armed | undefined} */
let armed;
let arrivals = 0;

globalThis.__failpoint = (point) => {
  if (process.env.FLOWFORGE_FAILPOINTS === undefined) return;
  lookUp();
  if (armed?.point !== point || !isMeant(armed)) return;
  arrivals += 1;
  const { id, hit, afterMs, each } = armed;
  const what = each ? { ...armed, id: `${id}.${process.pid}` } : armed;
  if (arrivals !== hit || !claim(what.id)) return;
  if (afterMs > 0) setTimeout(() => act(what), afterMs);
  else act(what);
};

function lookUp() {
  let now = '';
  try {
    now = readFileSync(join(folder, 'armed.json'), 'utf8');
  } catch {
    // Nothing is armed.
  }
  if (now === text) return;
  text = now;
  armed = now === '' ? undefined : JSON.parse(now);
  arrivals = 0;
}

function isMeant({ pids }) {
  return pids.length === 0 || pids.includes(process.pid) || pids.includes(process.ppid);
}

/** One process only, though several may come by. */
function claim(id) {
  try {
    writeFileSync(join(folder, `${id}.claimed`), String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

function act(what) {
  if (what.action === 'cut') return cutSoon(what, performance.now() + opensWithinMs);
  if (what.action === 'execute-then-error') {
    awaitStatement(what);
    return tell(what.id, 'hit', {});
  }
  tell(what.id, 'hit', {});
  standStill(what.id);
}

/** Tells the runner, under a name that appears with its content. */
function tell(id, what, more) {
  writeFileSync(join(folder, `${id}.${what}`), JSON.stringify({ pid: process.pid, parent: process.ppid, ...more }));
}

/** Holds up the whole process, until the runner has killed it or lets it go on. */
function standStill(id) {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (!exists(`${id}.go`)) Atomics.wait(nothing, 0, 0, 5);
}

function exists(name) {
  try {
    readFileSync(join(folder, name));
    return true;
  } catch {
    return false;
  }
}

/** The connections that this process has opened. */
const opened = new Set();
/** @type {Armed | undefined} */
let awaited;

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...how) {
  opened.add(this);
  this.once('close', () => opened.delete(this));
  return connect.apply(this, how);
};

Socket.prototype.write = function (chunk, ...rest) {
  const written = Writable.prototype.write.call(this, chunk, ...rest);
  if (awaited && opened.has(this) && serverOf(this) === awaited.server && holdsOne(chunk, awaited.statements)) {
    const { id, silently } = awaited;
    awaited = undefined;
    loseAnswer(this, id, silently);
  }
  return written;
};

/** A connection that has just been asked for is broken when it is there. */
function cutSoon(what, until) {
  const broken = cut(what);
  if (broken === 0 && performance.now() < until) setTimeout(() => cutSoon(what, until), 1);
  else tell(what.id, 'hit', { broken });
}

function cut({ server, silently }) {
  const meant = [...opened].filter((socket) => serverOf(socket) === server && !socket.connecting);
  for (const socket of meant) breakOff(socket, silently);
  return meant.length;
}

function awaitStatement(what) {
  awaited = what;
  setTimeout(() => {
    if (awaited === what) awaited = undefined;
  }, statementWithinMs).unref();
}

/** What was sent reaches the server; its answer, and whatever else comes, reaches nobody. */
function loseAnswer(socket, id, silently) {
  let told = false;
  socket.push = (chunk) => {
    if (told) return true;
    told = true;
    tell(id, 'executed', { answerBytes: chunk?.length ?? 0 });
    setTimeout(() => breakOff(socket, silently), executesWithinMs);
    return true;
  };
}

/** This side sees an error, as of a reset; or, silently, only the end while the server sees the reset. */
function breakOff(socket, silently) {
  if (silently) socket.resetAndDestroy();
  else socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' }));
}

function serverOf(socket) {
  if (socket.remotePort === undefined) return undefined;
  if (socket.remotePort === ports.postgres) return 'postgres';
  return socket.remotePort === ports.redis ? 'redis' : 'outside';
}

function holdsOne(chunk, statements) {
  if (statements.length === 0) return true;
  const content = typeof chunk === 'string' ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
  return statements.some((statement) => content.includes(statement));
}

function portOf(url, otherwise) {
  return url === undefined ? undefined : Number(new URL(url).port || otherwise);
}
