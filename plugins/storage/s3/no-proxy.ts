import { BlockList, isIP, isIPv4 } from 'node:net';

interface Rule {
  /** A name without its leading dot, or an address. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * `NO_PROXY` as curl and Go read it: names with all below them, addresses, CIDR ranges, each with an optional port, or
 * `*`. Loopback is always in it. An entry that is none of these is passed over, as everybody does.
 */
export class NoProxy {
  readonly #all: boolean;
  readonly #rules: readonly Rule[];
  readonly #ranges = new BlockList();

  constructor(text: string) {
    const entries = text
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== '');
    this.#all = entries.includes('*');
    this.#rules = entries.filter((entry) => !this.#addRange(entry)).map(rule);
    this.#ranges.addSubnet('127.0.0.0', 8, 'ipv4');
    this.#ranges.addAddress('::1', 'ipv6');
  }

  has(host: string, port: number): boolean {
    const name = host.toLowerCase().replace(/\.$/, '');
    if (this.#all || name === 'localhost' || name.endsWith('.localhost')) return true;
    if (isIP(name) !== 0 && this.#ranges.check(name, isIPv4(name) ? 'ipv4' : 'ipv6')) return true;
    return this.#rules.some(
      (known) =>
        (known.port === undefined || known.port === port) &&
        (name === known.host || (isIP(name) === 0 && name.endsWith(`.${known.host}`))),
    );
  }

  #addRange(entry: string): boolean {
    const [, address = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const version = isIP(address);
    if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) return false;
    this.#ranges.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
    return true;
  }
}

function rule(entry: string): Rule {
  // An IPv6 address is full of colons; only in brackets can it have a port.
  const [, bracketed, name, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const host = (bracketed ?? name ?? entry).replace(/^\*?\./, '');
  return { host, port: port === undefined ? undefined : Number(port) };
}
