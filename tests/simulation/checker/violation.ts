/** An invariant that does not hold, with what was seen. */
export interface Violation {
  /** `I1` … of docs/architecture.md. */
  readonly invariant: string;
  readonly what: string;
}
