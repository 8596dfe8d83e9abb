import { DatabaseError, type Table } from './table.ts';

/** The parameters of a statement, each by its place from 1 on. The types are PostgreSQL's: a value of another kind is an error. */
export class StatementValues {
  constructor(private readonly values: readonly unknown[]) {}

  text(place: number): string {
    return asText(this.values[place - 1]);
  }

  textOrNull(place: number): string | null {
    return orNull(this.values[place - 1], asText);
  }

  number(place: number): number {
    return asNumber(this.values[place - 1]);
  }

  numberOrNull(place: number): number | null {
    return orNull(this.values[place - 1], asNumber);
  }

  flag(place: number): boolean {
    return this.values[place - 1] === true;
  }

  texts(place: number): string[] {
    return this.list(place).map(asText);
  }

  /** Rows from parameters that are columns of equal length. */
  rows(): ColumnRow[] {
    const columns = this.values.filter((value): value is unknown[] => Array.isArray(value));
    return (columns[0] ?? []).map((_, at) => new ColumnRow(columns.map((column) => column[at])));
  }

  list(place: number): readonly unknown[] {
    const value = this.values[place - 1];
    if (!Array.isArray(value)) throw new DatabaseError('22023', `parameter ${place} is no list`);
    return value;
  }
}

/** One row of `unnest`. */
export class ColumnRow {
  constructor(private readonly cells: readonly unknown[]) {}

  text(place: number): string {
    return asText(this.cells[place - 1]);
  }

  textOrNull(place: number): string | null {
    return orNull(this.cells[place - 1], asText);
  }

  number(place: number): number {
    return asNumber(this.cells[place - 1]);
  }

  numberOrNull(place: number): number | null {
    return orNull(this.cells[place - 1], asNumber);
  }

  flag(place: number): boolean {
    return this.cells[place - 1] === true;
  }
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new DatabaseError('22P02', `${String(value)} is no text`);
  return value;
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new DatabaseError('22P02', `${String(value)} is no number`);
  return value;
}

function orNull<Value>(value: unknown, read: (value: unknown) => Value): Value | null {
  return value === null || value === undefined ? null : read(value);
}

/** A check constraint. */
export function notNegative<Row>(table: Table<Row>, ...values: readonly number[]): void {
  if (values.some((value) => value < 0)) throw new DatabaseError('23514', `a count of ${table.name} is below zero`);
}
