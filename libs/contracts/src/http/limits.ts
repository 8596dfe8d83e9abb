/** Longest body of a request, in bytes; `runs:batch` has its own. */
export const BODY_BYTES_MAX = 2 * 1024 * 1024;
export const BATCH_BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Items of a `runs:batch`. */
export const BATCH_ITEMS_MAX = 1_000;
/** Items of a page, and how many a list answers when nobody says. */
export const PAGE_SIZE_MAX = 200;
export const PAGE_SIZE_DEFAULT = 50;
/** Label filters of one list. */
export const LABEL_FILTERS_MAX = 10;
/** Longest text of a workflow definition, in bytes. */
export const DEFINITION_BYTES_MAX = 1024 * 1024;
/** Longest input of a run, in bytes of its JSON. */
export const RUN_INPUT_BYTES_MAX = 256 * 1024;
export const IDEMPOTENCY_KEY_MAX = 200;
/** Longest reason that a person gives for a command, in characters. */
export const REASON_MAX = 500;
