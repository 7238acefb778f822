import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificatePair, clusterCertificate } from '../stand-in/certificates.ts';
import { type CliOptions, type CliResult, runCli } from './cli.ts';

export interface SiteOptions {
  readonly storages?: readonly object[];
  readonly encryption?: object | readonly object[];
  /** Default: signed. */
  readonly signed?: boolean;
  readonly gatewayVersion?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly bootstrap?: Readonly<Record<string, unknown>>;
}

/** A folder with keys, certificates and a settings file, as an operator would have it. */
export class Site {
  readonly directory: string;
  readonly certificate: CertificatePair;
  readonly encryptionKey: string;
  readonly target: string;
  readonly store: string;
  readonly cache: string;
  readonly signingKey: string;
  readonly #options: SiteOptions;
  #address = '127.0.0.1:1';

  /** @param from another one to begin as a copy of, with its keys and all of its files */
  constructor(options: SiteOptions = {}, from?: Site) {
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), 'kongfallback-e2e-'));
    this.certificate = from?.certificate ?? clusterCertificate();
    this.encryptionKey = from?.encryptionKey ?? randomBytes(32).toString('base64');
    this.target = join(this.directory, 'node', 'kong.json');
    this.store = join(this.directory, 'store');
    this.cache = join(this.directory, 'cache');
    if (from !== undefined) {
      this.signingKey = from.signingKey;
      cpSync(from.directory, this.directory, { recursive: true, preserveTimestamps: true });
      this.pointAt(from.#address);
      return;
    }
    mkdirSync(join(this.directory, 'node'));
    mkdirSync(this.store);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    this.write('cluster.crt', this.certificate.certificate);
    this.write('cluster.key', this.certificate.key);
    this.write('head.pub', publicKey);
    this.write('head.key', privateKey);
    this.signingKey = privateKey;
    this.write('encryption.key', `${this.encryptionKey}\n`);
    this.configure({});
  }

  /** Writes the settings; what is given here goes over everything else. */
  configure(over: Readonly<Record<string, unknown>>): void {
    const {
      storages,
      encryption,
      signed = true,
      gatewayVersion = '3.9.3',
      settings,
      bootstrap,
    } = this.#options;
    const all = {
      cluster: 'e2e',
      controlPlane: { address: this.#address, certificate: 'cluster.crt', key: 'cluster.key' },
      gatewayVersions: [gatewayVersion],
      storages: storages ?? [{ use: 'file', path: 'store' }],
      encryption: encryption ?? { use: 'aes-gcm', keys: [`\${file:encryption.key}`] },
      ...(signed && {
        signing: { publicKeys: [`\${file:head.pub}`], privateKey: `\${file:head.key}` },
      }),
      bootstrap: {
        cacheDirectory: 'cache',
        probeSeconds: 2,
        waitSeconds: 5,
        target: { use: 'file', path: 'node/kong.json' },
        ...bootstrap,
      },
      // Two of these may run at once.
      service: { listen: '127.0.0.1:0' },
      ...settings,
      ...over,
    };
    // JSON is YAML.
    this.write('.kongfallbackrc', JSON.stringify(all, null, 2));
  }

  /** The control plane's port, or its whole address; port 1 is closed. */
  pointAt(address: number | string): void {
    this.#address = typeof address === 'number' ? `127.0.0.1:${address}` : address;
    this.configure({});
  }

  /** With the same keys and files, and settings of its own. */
  copy(options: SiteOptions = {}): Site {
    return new Site({ ...this.#options, ...options }, this);
  }

  /** What must never be printed: keys whole, PEM bodies line by line. */
  get secrets(): readonly string[] {
    const bodies = [this.certificate.key, this.signingKey].flatMap((pem) =>
      pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----')),
    );
    const credentials = JSON.stringify(this.#options).match(/(?<="secretAccessKey":")[^"]+/g) ?? [];
    return [this.encryptionKey, ...bodies, ...credentials];
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.directory, name), content, { mode: 0o600 });
  }

  run(args: readonly string[], options: Partial<CliOptions> = {}): Promise<CliResult> {
    return runCli(args, { cwd: this.directory, ...options });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
