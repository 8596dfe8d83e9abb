/** A place in the sources, and what stands there instead. `sql`: the texts that it replaces in SQL as that is read. */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly sql?: { readonly file: string; readonly finds: readonly string[] };
}

/** Which suites can notice a mutant, each with the narrowest part of it that may. A suite that is not named cannot: the mutant is outside of what it runs. */
export interface MutantSuites {
  /** Folders or files of jest's unit project. */
  readonly unit?: readonly string[];
  /** The simulation: the seeds that every mutant gets, or `[first, count]` for one that only few worlds show. */
  readonly sim?: true | readonly [number, number];
  /** Every order of a small scope. */
  readonly scope?: true;
  /** Folders or files of jest's integration project. */
  readonly integration?: readonly string[];
  readonly e2e?: readonly string[];
}

export interface Mutant extends Change {
  readonly name: string;
  /** What docs/architecture.md or an ADR promises and this mutant breaks. */
  readonly rule: string;
  readonly also?: readonly Change[];
  readonly suites: MutantSuites;
  /** The suite that is known to notice it, where that is not the cheapest one. */
  readonly by?: keyof MutantSuites;
}

export declare const mutants: readonly Mutant[];
