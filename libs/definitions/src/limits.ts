/** What a definition may cost. Every bound has its own fault code, and a test that hits it. */
export const DEFINITION_LIMITS = {
  /** UTF-8 bytes of the text. */
  textBytesMax: 1024 * 1024,
  /** Lexical tokens of the text: what makes a YAML parser slow is their number, not the bytes. */
  lexemesMax: 500_000,
  /** Nesting of maps and lists. */
  depthMax: 64,
  stepsMax: 10_000,
  aliasesMax: 100,
  /** Nodes that all aliases together may repeat. */
  aliasedNodesMax: 10_000,
  /** `patternWeight` of the patterns that are compiled when a version is published; what is beyond fails when it runs. */
  checkedPatternWeightMax: 200_000,
  /** Faults reported at once; the rest is counted only. */
  faultsMax: 100,
  durationSecondsMax: 366 * 86_400,
} as const;

/** What an expression may cost: checked when a version is published, and again by the evaluator. */
export const EXPRESSION_LIMITS = {
  /** UTF-8 bytes of one expression. */
  sourceBytesMax: 4 * 1024,
  /** Nesting of its syntax tree. */
  depthMax: 64,
  /** Nodes of its syntax tree, `default` and `coalesce` written out. */
  nodesMax: 1_024,
  /** Entries of one list or map literal. */
  literalEntriesMax: 256,
  /** Macros (all, exists, map, filter …) inside each other. */
  macroDepthMax: 2,
  /** Expressions in the strings of one step. */
  perStepMax: 200,
  /** `patternWeight` of one literal pattern of `matches`. */
  patternWeightMax: 20_000,
  /** A search for a literal of at most this many characters takes time in proportion to the text alone. */
  needleCharsMax: 64,
} as const;

/** What one evaluation may cost. */
export const EVALUATION_LIMITS = {
  deadlineMs: 100,
  threads: 1,
  queueMax: 1_000,
  outputBytesMax: 256 * 1024,
  depthMax: 64,
  /** Characters of the message of one that failed. */
  messageCharactersMax: 1_000,
  /** Characters of data × operations that read them whole: up to here an expression is evaluated inline (≈ 10 ms), above in a thread. */
  inlineWorkMax: 256 * 1024,
  /** A thread that gets no processor may take this many deadlines of wall time: a busy machine must not fail a step. */
  wallFactor: 20,
  heapMegabytesMax: 64,
  cachedExpressionsMax: 2_000,
} as const;

/** What a workflow's input schema may cost. */
export const INPUT_SCHEMA_LIMITS = {
  bytesMax: 64 * 1024,
  depthMax: 32,
  /** Schema nodes with every `$ref` written out: what bounds the time of a check. */
  nodesMax: 2_000,
  /** `patternWeight` of all patterns together. */
  patternWeightMax: 100_000,
  /** Faults reported for one input. */
  faultsMax: 20,
  cachedSchemasMax: 500,
} as const;
