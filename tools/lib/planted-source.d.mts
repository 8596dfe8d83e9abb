export interface SourceMutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly also?: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}
export declare const failpointMarker: RegExp;
export declare function plant(file: string, source: string): string;
export declare function mutate(mutant: SourceMutant, path: string, source: string): string;
