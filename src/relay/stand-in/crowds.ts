import type { FindingSeverity, Findings } from '../../observe/index.ts';

interface Kind {
  readonly severity: FindingSeverity;
  readonly hint: string;
  message(count: number, version: string, detail: string): string;
}

const AHEAD: Kind = {
  severity: 'warning',
  hint: 'They keep it, and nothing is sent to them: it is probably newer than the newest snapshot. New data planes get the snapshot. See when the exporter last published.',
  message: (count, version) =>
    `${dataPlanes(count, version)} running a configuration that storage does not list`,
};

const REJECTED: Kind = {
  severity: 'warning',
  hint: 'They keep what they had. Their error log names the field; a control plane sends such documents too, to older versions with some plugins.',
  message: (count, version) =>
    `${dataPlanes(count, version)} not taking the configuration that the stand-in sent`,
};

const PLUGIN_MISSING: Kind = {
  severity: 'warning',
  hint: 'They get no configuration, from a control plane neither: install the plugin there, and add it to `plugins` of their kong.conf.',
  message: (count, version, detail) => `${dataPlanes(count, version)} lacking plugins in use: ${detail}`,
};

function dataPlanes(count: number, version: string): string {
  return count === 1 ? `1 data plane of ${version} is` : `${count} data planes of ${version} are`;
}

/** What is the matter with a session that stays open. */
export type Trouble = 'ahead' | 'rejected' | 'plugin-missing';

/** Sessions that share a trouble are one finding for each version, with their number. */
export class Crowds {
  readonly #findings: Findings;
  readonly #troubleOf = new Map<object, { trouble: Trouble; version: string }>();
  readonly #counts = new Map<string, number>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** @param detail for the message, when it is more than the count */
  enter(session: object, trouble: Trouble, version: string, detail = ''): void {
    const former = this.#troubleOf.get(session);
    if (former?.trouble === trouble && former.version === version) return;
    this.leave(session);
    this.#troubleOf.set(session, { trouble, version });
    this.#change(trouble, version, 1, detail);
  }

  leave(session: object): void {
    const former = this.#troubleOf.get(session);
    if (former === undefined) return;
    this.#troubleOf.delete(session);
    this.#change(former.trouble, former.version, -1, '');
  }

  #change(trouble: Trouble, version: string, by: number, detail: string): void {
    const key = `${trouble} ${version}`;
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count === 0) {
      this.#counts.delete(key);
      this.#clear(trouble, version);
      return;
    }
    this.#counts.set(key, count);
    // Of those who left no detail is kept, and the message stands until the last one has left.
    if (by > 0) this.#raise(trouble, version, count, detail);
  }

  #raise(trouble: Trouble, about: string, count: number, detail: string): void {
    const kind = trouble === 'ahead' ? AHEAD : trouble === 'rejected' ? REJECTED : PLUGIN_MISSING;
    const { hint, severity } = kind;
    const finding = { about, severity, hint, message: kind.message(count, about, detail) };
    if (trouble === 'ahead') this.#findings.raise({ code: 'dp-ahead-or-unknown', ...finding });
    else if (trouble === 'rejected') {
      this.#findings.raise({ code: 'data-plane-rejected-configuration', ...finding });
    } else this.#findings.raise({ code: 'data-plane-plugin-missing', ...finding });
  }

  #clear(trouble: Trouble, about: string): void {
    if (trouble === 'ahead') this.#findings.clear('dp-ahead-or-unknown', about);
    else if (trouble === 'rejected') this.#findings.clear('data-plane-rejected-configuration', about);
    else this.#findings.clear('data-plane-plugin-missing', about);
  }
}
