import type { CliResult } from './cli.ts';
import type { Site } from './site.ts';

export type LogLine = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

/** `kongfallback relay` (or `run`) as a process, followed by its log: a test waits for events and never for time. */
export class RunningRelay {
  readonly ended: Promise<CliResult>;
  readonly #lines: LogLine[] = [];
  #waiting: (() => void)[] = [];
  #text = '';
  /** Lines up to here were waited for: an event that came before a step says nothing about it. */
  #from = 0;
  #signal: (signal: NodeJS.Signals) => void = () => {};
  /** Where data planes dial. */
  port = 0;
  /** Of health, metrics and status. */
  service = '';

  constructor(site: Site, args: readonly string[]) {
    this.ended = site.run(args, {
      onStart: (kill) => {
        this.#signal = kill;
      },
      onStderr: (text) => this.#read(text),
    });
    this.ended.then(
      () => this.#tell(),
      () => {},
    );
  }

  static async start(site: Site, args: readonly string[] = ['relay']): Promise<RunningRelay> {
    const relay = new RunningRelay(site, args);
    relay.service = String((await relay.event('service.listening')).address);
    const { address } = await relay.event('relay.started');
    relay.port = Number(String(address).split(':').at(-1));
    return relay;
  }

  /** The first such line after those that were waited for before. */
  async event(event: string, fields: Fields = {}): Promise<LogLine & { readonly address?: unknown }> {
    const at = await this.#found((line, index) => index >= this.#from && fits(line, event, fields));
    this.#from = at + 1;
    return this.#lines[at] as LogLine;
  }

  verdict(verdict: string): Promise<LogLine> {
    return this.event('relay.verdict', { verdict });
  }

  /** Such a line, wherever it stands. */
  async ever(event: string, fields: Fields = {}): Promise<LogLine> {
    return this.#lines[await this.#found((line) => fits(line, event, fields))] as LogLine;
  }

  /** All of them so far. */
  events(event: string, fields: Fields = {}): readonly LogLine[] {
    return this.#lines.filter((line) => fits(line, event, fields));
  }

  get(path: string): Promise<Response> {
    return fetch(`http://${this.service}${path}`);
  }

  /** Of `/status`. */
  async status(): Promise<Record<string, unknown>> {
    return (await (await this.get('/status')).json()) as Record<string, unknown>;
  }

  /** Value of the first series of that name whose labels contain the text. */
  async metric(name: string, label = ''): Promise<number | undefined> {
    const lines = (await (await this.get('/metrics')).text()).split('\n');
    const line = lines.find((one) => /^\w+/.exec(one)?.[0] === name && one.includes(label));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  }

  signal(signal: NodeJS.Signals): void {
    this.#signal(signal);
  }

  stop(): Promise<CliResult> {
    this.#signal('SIGTERM');
    return this.ended;
  }

  /** As a machine that loses its power. */
  kill(): Promise<CliResult> {
    this.#signal('SIGKILL');
    return this.ended;
  }

  async #found(fit: (line: LogLine, index: number) => boolean): Promise<number> {
    for (;;) {
      const at = this.#lines.findIndex(fit);
      if (at >= 0) return at;
      const more = new Promise<void>((resolve) => this.#waiting.push(resolve));
      const over = await Promise.race([more, this.ended]);
      if (over !== undefined && this.#lines.findIndex(fit) < 0)
        throw new Error(`not logged before it ended (${over.code}): ${over.stderr}`);
    }
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
    for (const resolve of waiting) resolve();
  }
}

function fits(line: LogLine, event: string, fields: Fields): boolean {
  return line['event'] === event && Object.entries(fields).every(([name, value]) => line[name] === value);
}
