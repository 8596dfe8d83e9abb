export declare const project: string;
export declare const projectNode: string;
export declare const fromSources: readonly string[];
