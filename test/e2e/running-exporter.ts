import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from './cli.ts';
import type { Site } from './site.ts';

type LogLine = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly fits: (line: LogLine) => boolean;
  readonly found: () => void;
}

/** `kongfallback export` as a process, followed by its log: a test waits for events and never for time. */
export class RunningExporter {
  readonly #site: Site;
  readonly #ended: Promise<CliResult>;
  readonly #lines: LogLine[] = [];
  #waiting: Waiting[] = [];
  #text = '';
  #kill: (signal: NodeJS.Signals) => void = () => {};
  /** Lines up to here were waited for: an event that came before a step says nothing about it. */
  #from = 0;
  address = '';

  constructor(site: Site, args: readonly string[]) {
    this.#site = site;
    this.#ended = site.run(args, {
      onStart: (kill) => {
        this.#kill = kill;
      },
      onStderr: (text) => this.#read(text),
    });
    this.#ended.then(
      () => this.#tell(),
      () => {},
    );
  }

  static async start(site: Site, args: readonly string[] = ['export']): Promise<RunningExporter> {
    const exporter = new RunningExporter(site, args);
    const { address } = await exporter.event('service.listening');
    exporter.address = String(address);
    return exporter;
  }

  /** The first such line after those that were waited for before; of several events whichever comes. */
  async event(event: string | readonly string[], fields: LogLine = {}): Promise<LogLine> {
    const events = [event].flat();
    const fits = (line: LogLine): boolean =>
      events.includes(String(line['event'])) &&
      Object.entries(fields).every(([name, value]) => line[name] === value);
    for (;;) {
      const at = this.#lines.findIndex((line, index) => index >= this.#from && fits(line));
      const line = this.#lines[at];
      if (line !== undefined) {
        this.#from = at + 1;
        return line;
      }
      const more = new Promise<void>((resolve) => this.#waiting.push({ fits, found: resolve }));
      const over = await Promise.race([more, this.#ended]);
      if (over !== undefined)
        throw new Error(`no ${events.join(' or ')} before it ended (${over.code}): ${over.stderr}`);
    }
  }

  get(path: string): Promise<Response> {
    return fetch(`http://${this.address}${path}`);
  }

  /** Value of the first series of that name whose labels contain the text. */
  async metric(name: string, label = ''): Promise<number | undefined> {
    const lines = (await (await this.get('/metrics')).text()).split('\n');
    const line = lines.find((one) => one.startsWith(`${name}{`) && one.includes(label));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  }

  /** As it is stored, in a site with one directory. */
  async head(): Promise<{ readonly aliveAt: string; readonly confirmedAt: string }> {
    const text = readFileSync(join(this.#site.store, '3.9.3', 'head.json'), 'utf8');
    const { payload } = JSON.parse(text) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64').toString()) as { aliveAt: string; confirmedAt: string };
  }

  stop(): Promise<CliResult> {
    this.#kill('SIGTERM');
    return this.#ended;
  }

  #read(text: string): void {
    this.#text += text;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as LogLine);
    }
    this.#tell();
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { found } of waiting) found();
  }
}
