import type { CliResult } from './cli.ts';
import { RunningExporter } from './running-exporter.ts';
import type { Site } from './site.ts';

/** `kongfallback relay` as a process, followed by its log. */
export class RunningRelay {
  readonly port: number;
  readonly #process: RunningExporter;

  private constructor(process: RunningExporter, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(site: Site, args: readonly string[] = ['relay']): Promise<RunningRelay> {
    const process = await RunningExporter.start(site, args);
    const { address } = await process.event('relay.started');
    return new RunningRelay(process, Number(String(address).split(':').at(-1)));
  }

  /** The first such line after those that were waited for before. */
  event(event: string, fields: Readonly<Record<string, unknown>> = {}) {
    return this.#process.event(event, fields);
  }

  verdict(verdict: string) {
    return this.#process.event('relay.verdict', { verdict });
  }

  get(path: string): Promise<Response> {
    return this.#process.get(path);
  }

  stop(): Promise<CliResult> {
    return this.#process.stop();
  }
}
