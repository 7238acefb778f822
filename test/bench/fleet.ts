import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Site } from '../e2e/site.ts';
import { writeDocument, writeFrame } from './generate.ts';
import { type Program, quoted, succeed } from './measure.ts';

/** KONGFALLBACK_BIN measures another build, such as an installed one. */
const BIN =
  process.env['KONGFALLBACK_BIN'] ?? fileURLToPath(new URL('../../bin/kongfallback.js', import.meta.url));
export const NODE = quoted(process.execPath);

/** A site with a generated configuration beside it, and the command lines to measure. */
export class Fleet {
  readonly entities: number;
  readonly site = new Site();
  /** The document as a file of its own. */
  readonly document: string;
  /** gzip of the document: what the peers read. */
  readonly compressed: string;
  readonly frame: string;
  readonly #seed: number;

  constructor(entities: number, seed: number) {
    this.entities = entities;
    this.#seed = seed;
    this.document = join(this.site.directory, 'document.json');
    this.compressed = join(this.site.directory, 'document.json.gz');
    this.frame = join(this.site.directory, 'frame.gz');
  }

  async generateDocument(): Promise<void> {
    await writeDocument(this.document, { entities: this.entities, seed: this.#seed });
  }

  async generateFrame(): Promise<void> {
    await writeFrame(this.frame, { entities: this.entities, seed: this.#seed });
  }

  /** The same gzip level as the exporter's. */
  async compress(): Promise<void> {
    await writeFile(this.compressed, gzipSync(await readFile(this.document), { level: 1 }));
  }

  /** Publishes the document to the store, from the file: larger configurations than a socket carries fit too. */
  async publish(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const source = { use: 'file', path: 'document.json' };
    this.site.configure({ ...settings, source });
    await succeed(this.cli('export', 'export --once'));
    this.site.configure(settings);
  }

  async emptyStore(): Promise<void> {
    await rm(this.site.store, { recursive: true, force: true });
    await mkdir(this.site.store);
  }

  /** Makes the node new again. */
  async emptyNode(): Promise<void> {
    await rm(this.site.cache, { recursive: true, force: true });
    await rm(this.site.target, { force: true });
  }

  /** What bootstrap wrote must be what was generated; a fast wrong answer is no answer. */
  async mustHaveApplied(): Promise<void> {
    if (!existsSync(this.site.target)) throw new Error('bootstrap wrote nothing');
    await succeed(this.program('compare', `cmp ${quoted(this.site.target)} ${quoted(this.document)}`));
  }

  cli(label: string, args: string): Program {
    return this.program(label, `${NODE} ${quoted(BIN)} ${args}`);
  }

  program(label: string, line: string): Program {
    return { label, line, cwd: this.site.directory };
  }

  remove(): void {
    this.site.remove();
  }
}
