/** Injection tokens of what has no class of its own. */
export const SCHEDULER_CONFIG = Symbol('scheduler config');
export const STREAM_TRANSPORT = Symbol('stream transport');
export const EVENTS = Symbol('events client');
export const EPOCH = Symbol('epoch');
export const LOGGER = Symbol('logger');
export const METRICS = Symbol('metrics');
/** Sessions of the database: for reading what decisions need, for writing them, for leases and housekeeping. */
export const READING = Symbol('reading session');
export const WRITING = Symbol('writing session');
export const KEEPING = Symbol('housekeeping session');
