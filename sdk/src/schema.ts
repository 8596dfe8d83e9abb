/**
 * The part of the Standard Schema contract (https://standardschema.dev) that a step needs, so that zod, valibot and arktype all fit
 * and this package depends on none of them.
 */
export interface StepSchema<Accepted = unknown, Result = Accepted> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Result> | Promise<SchemaResult<Result>>;
    readonly types?: { readonly input: Accepted; readonly output: Result } | undefined;
  };
}

type SchemaResult<Result> = { readonly value: Result; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema accepts, before its defaults and conversions. */
export type AcceptedBy<Schema> = Schema extends StepSchema<infer Accepted, unknown> ? Accepted : never;
/** What a schema hands on. */
export type ResultOf<Schema> = Schema extends StepSchema<infer _Accepted, infer Result> ? Result : never;

/** Issues named in a message; the rest is only counted. */
const issuesShownMax = 5;

/** The checked value, or one sentence with the path and fault of the first few issues. Values are never repeated: they may be secret. */
export async function checkAgainst<Result>(
  schema: StepSchema<unknown, Result>,
  value: unknown,
): Promise<{ value: Result } | { faults: string }> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { value: result.value };
  const shown = result.issues.slice(0, issuesShownMax).map((issue) => `${pathOf(issue)}: ${issue.message}`);
  const hidden = result.issues.length - shown.length;
  return { faults: shown.join('; ') + (hidden > 0 ? `; and ${hidden} more` : '') };
}

function pathOf({ path = [] }: SchemaIssue): string {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return keys.length > 0 ? keys.join('.') : '(the whole value)';
}
