import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly commonName?: string;
  /** DNS names and IP addresses; none makes a certificate with a common name only. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const ECDSA_WITH_SHA384 = '1.2.840.10045.4.3.3';
const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const DAY_MS = 86_400_000;
/** Certificates made here are valid around this moment, for any test that runs on the machine's clock. */
const NOW = new Date();

/** As `kong hybrid gen_cert` makes it: X.509 version 1, EC secp384r1, self-signed, a common name and nothing else. */
export function clusterCertificate(options: CertificateOptions = {}): CertificatePair {
  const keys = newKeys();
  const name = commonName(options.commonName ?? 'kong_clustering');
  return pair(
    issue({ version: Version.v1, issuer: name, subject: name, signer: keys.key, keys, options }),
    keys.key,
  );
}

/** A certificate authority and what it issues, for `cluster_mtls = pki`. */
export class TestAuthority {
  readonly certificate: string;
  readonly #name: Name;
  readonly #key: KeyObject;

  constructor(name = 'cluster-ca', options: CertificateOptions = {}) {
    const keys = newKeys();
    this.#name = commonName(name);
    this.#key = keys.key;
    const extensions = [extension(BASIC_CONSTRAINTS, new BasicConstraints({ cA: true }), true)];
    this.certificate = issue({
      version: Version.v3,
      issuer: this.#name,
      subject: this.#name,
      signer: keys.key,
      keys,
      options,
      extensions,
    });
  }

  leaf(options: CertificateOptions = {}): CertificatePair {
    const keys = newKeys();
    const names = (options.names ?? []).map((name) =>
      /^[\d.]+$|:/.test(name) ? new GeneralName({ iPAddress: name }) : new GeneralName({ dNSName: name }),
    );
    const extensions =
      names.length === 0
        ? []
        : [extension(SUBJECT_ALTERNATIVE_NAME, new SubjectAlternativeName(names), false)];
    const subject = commonName(options.commonName ?? 'node');
    return pair(
      issue({
        version: Version.v3,
        issuer: this.#name,
        subject,
        signer: this.#key,
        keys,
        options,
        extensions,
      }),
      keys.key,
    );
  }
}

interface Issue {
  readonly version: Version;
  readonly issuer: Name;
  readonly subject: Name;
  readonly signer: KeyObject;
  readonly keys: { readonly key: KeyObject; readonly spki: Buffer };
  readonly options: CertificateOptions;
  readonly extensions?: readonly Extension[];
}

function issue({ version, issuer, subject, signer, keys, options, extensions = [] }: Issue): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA384 });
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 1;
  const tbs = new TBSCertificate({
    version,
    serialNumber: arrayBuffer(serial),
    signature: algorithm,
    issuer,
    validity: new Validity({
      notBefore: options.notBefore ?? new Date(NOW.getTime() - DAY_MS),
      notAfter: options.notAfter ?? new Date(NOW.getTime() + 3 * 365 * DAY_MS),
    }),
    subject,
    subjectPublicKeyInfo: AsnConvert.parse(keys.spki, SubjectPublicKeyInfo),
    ...(extensions.length > 0 && { extensions: new Extensions([...extensions]) }),
  });
  const signed = sign('sha384', Buffer.from(AsnConvert.serialize(tbs)), signer);
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: algorithm,
    signatureValue: arrayBuffer(signed),
  });
  return pem('CERTIFICATE', Buffer.from(AsnConvert.serialize(certificate)));
}

function newKeys(): { key: KeyObject; spki: Buffer } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  return { key: privateKey, spki: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }) };
}

function commonName(value: string): Name {
  const attribute = new AttributeTypeAndValue({
    type: COMMON_NAME,
    value: new AttributeValue({ utf8String: value }),
  });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function extension(id: string, value: object, critical: boolean): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function pair(certificate: string, key: KeyObject): CertificatePair {
  return { certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
