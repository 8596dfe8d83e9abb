/** Collects the conditions of a list's filters with their parameters; an absent filter adds nothing. */
export class Where {
  private readonly conditions: string[] = [];
  readonly values: unknown[] = [];

  /** Adds a condition in which `?` stands for the value. */
  add(condition: string, value: unknown): this {
    if (value === undefined || value === null) return this;
    this.conditions.push(condition.replace('?', this.bind(value)));
    return this;
  }

  /** Adds a condition in which each `?` stands for one of the values; none when the values are null. */
  addAll(condition: string, values: readonly unknown[] | null | undefined): this {
    if (!values) return this;
    let at = 0;
    this.conditions.push(condition.replaceAll('?', () => this.bind(values[at++])));
    return this;
  }

  /** Adds a condition without a value. */
  addRaw(condition: string): this {
    this.conditions.push(condition);
    return this;
  }

  /** Adds the value as a parameter and returns its place. */
  bind(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  get sql(): string {
    return this.conditions.length === 0 ? '' : `where ${this.conditions.join(' and ')}`;
  }
}
