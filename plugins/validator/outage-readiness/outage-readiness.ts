import type {
  CallOptions,
  ConfigDocument,
  Finding,
  PluginContext,
  ValidationContext,
  Validator,
} from 'kongfallback/plugin';
import { checkPlugins } from './plugin-rules.ts';
import { checkVaults } from './vault-references.ts';
import { Warnings } from './warnings.ts';

export class OutageReadiness implements Validator {
  readonly #plugin: PluginContext;

  constructor(plugin: PluginContext) {
    this.#plugin = plugin;
  }

  async validate(
    { bytes, table }: ConfigDocument,
    _context: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before the document was looked at');
    const warnings = new Warnings();
    checkPlugins(table, warnings);
    // A look at the text takes a tenth of what a walk through all entities takes, and most have no reference.
    if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('vault:')) {
      checkVaults(table, warnings);
    }
    return warnings.all();
  }
}
