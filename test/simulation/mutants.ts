/** A planted bug: text of the product code, and what takes its place. */
export interface Mutant {
  readonly name: string;
  readonly changes: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>;
}
