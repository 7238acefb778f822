import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { FallbackError } from '../../src/errors/index.ts';
import { peekFrame } from '../../src/kong/index.ts';
import { Findings } from '../../src/observe/index.ts';
import type { Clock, Logger } from '../../src/plugin/index.ts';
import type { Identity } from '../../src/relay/identity.ts';
import type { Provision } from '../../src/relay/provision.ts';
import { StandIn, type StandInDependencies } from '../../src/relay/stand-in/stand-in.ts';
import { systemClock } from '../../src/resilience/index.ts';
import { type CertificatePair, clusterCertificate } from './certificates.ts';
import { TestDataPlane, type TestDataPlaneOptions } from './data-plane.ts';
import { preparedFrame } from './data-plane-frame.ts';
import { recordedFrame } from './frames.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly event?: string;
  readonly [field: string]: unknown;
}

/** A stand-in behind a port of its own, with what it logs and finds. */
export class StandInAtWork {
  readonly standIn: StandIn;
  readonly certificate: CertificatePair;
  readonly lines: LogLine[] = [];
  readonly findings: Findings;
  readonly provisions = new Map<string, Provision>();
  /** Raw sockets that are open. */
  readonly sockets = new Set<Socket>();
  identity: Identity;
  readonly #server = createServer({ pauseOnConnect: true, noDelay: true });
  readonly #dataPlanes = new Set<TestDataPlane>();

  private constructor(options: StandInAtWorkOptions) {
    this.certificate = options.certificate ?? clusterCertificate();
    this.identity = sharedIdentity(this.certificate);
    const clock: Clock = options.clock ?? systemClock;
    const log = collectingLogger(this.lines);
    this.findings = new Findings(clock, log);
    for (const provision of options.provisions ?? [recordedProvision('mixed')]) {
      this.provisions.set(provision.gatewayVersion, provision);
    }
    this.standIn = new StandIn({
      identity: () => this.identity,
      provision: (version) => this.provisions.get(version),
      versions: () => [...this.provisions.keys()],
      clock,
      log,
      findings: this.findings,
      ...(options.limits !== undefined && { limits: options.limits }),
      ...(options.onSeen !== undefined && { onSeen: options.onSeen }),
    });
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      this.standIn.accept(socket);
    });
  }

  static async start(options: StandInAtWorkOptions = {}): Promise<StandInAtWork> {
    const atWork = new StandInAtWork(options);
    atWork.#server.listen(0, '127.0.0.1');
    await once(atWork.#server, 'listening');
    return atWork;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async connect(options: Partial<TestDataPlaneOptions> = {}): Promise<TestDataPlane> {
    const dataPlane = await TestDataPlane.connect({
      port: this.port,
      certificate: this.certificate,
      applyMs: 0,
      ...options,
    });
    this.#dataPlanes.add(dataPlane);
    return dataPlane;
  }

  /** Replaces what is served to a version, and says so. */
  provide(provision: Provision): void {
    this.provisions.set(provision.gatewayVersion, provision);
    this.standIn.push(provision.gatewayVersion);
  }

  events(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  found(): string[] {
    return this.findings.list().map(({ code, about }) => `${code} ${about}`);
  }

  async stop(): Promise<void> {
    for (const dataPlane of this.#dataPlanes) dataPlane.kill();
    this.#server.close();
    await this.standIn.close({ overMs: 0, signal: AbortSignal.abort() });
    for (const socket of this.sockets) socket.destroy();
  }
}

export interface StandInAtWorkOptions
  extends Partial<Pick<StandInDependencies, 'clock' | 'limits' | 'onSeen'>> {
  readonly certificate?: CertificatePair;
  readonly provisions?: readonly Provision[];
}

/** A recorded frame as the relay would hold it. */
export function recordedProvision(name: string, options: Partial<Provision> = {}): Provision {
  const payload = recordedFrame(name);
  return {
    gatewayVersion: '3.9.3',
    configHash: peekFrame(payload).configHash ?? null,
    olderHashes: new Set(),
    plugins: ['key-auth'],
    sequence: 1,
    origin: 'storage',
    frame: preparedFrame(payload),
    ...options,
  };
}

/** As with `cluster_mtls = shared`: the very same certificate on both sides. */
export function sharedIdentity(pair: CertificatePair): Identity {
  const own = new X509Certificate(pair.certificate).fingerprint256;
  return {
    secureContext: createSecureContext({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2' }),
    check: (socket) =>
      socket.getPeerX509Certificate()?.fingerprint256 === own
        ? undefined
        : new FallbackError('denied', 'KF_TEST_CERTIFICATE', 'not the cluster certificate'),
  };
}

function collectingLogger(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, ...fields });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
