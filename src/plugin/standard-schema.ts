/**
 * The parts of Standard Schema (standardschema.dev, v1) and Standard JSON Schema that the core reads. Any
 * schema library that implements the first can describe a plugin's settings; the second is optional and gives
 * editors, "did you mean" and secret masking (`secret: true` on a property) something to read.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type SettingsOf<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];
