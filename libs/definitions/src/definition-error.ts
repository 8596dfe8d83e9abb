import { DomainError } from '#core';

/** One thing that is wrong in a definition. `line` and `column` start at 1 and are null when there was no text. */
export interface DefinitionFault {
  /** `definition.*`, listed in docs/definitions.md. */
  readonly code: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** As in `spec.steps.fetch.needs[0]`; empty for the whole document. */
  readonly path: string;
  readonly remedy: string;
}

/**
 * A definition is refused. `faults` holds everything that was found, in the order of the text, up to `faultsMax`; `code` is
 * `definition.invalid`, and the message tells the first fault. Its `details` carry the same faults for a response.
 */
export class DefinitionError extends DomainError {
  readonly faults: readonly DefinitionFault[];
  /** Faults found in all, those beyond the bound included. */
  readonly found: number;

  constructor(faults: readonly DefinitionFault[], found: number) {
    const [first] = faults;
    const more = found > 1 ? ` (and ${found - 1} more)` : '';
    const details = { found, faults: faults.map((fault) => ({ ...fault })) };
    super(
      'definition.invalid',
      `${first === undefined ? 'The definition is invalid.' : describeFault(first)}${more}`,
      details,
      first?.remedy ?? null,
    );
    this.name = 'DefinitionError';
    this.faults = faults;
    this.found = found;
  }
}

/** One line for a person: `orders.yaml:7:12 spec.steps.fetch.uses: Unknown step kind …`. */
export function describeFault(fault: DefinitionFault): string {
  const place = [fault.file, fault.line, fault.column].filter((part) => part !== null).join(':');
  return `${[place, fault.path].filter((part) => part !== '').join(' ')}${place === '' && fault.path === '' ? '' : ': '}${fault.message}`;
}
