// What the heads of one line say about how a new data plane would fare. Pure: `status` and the exporter judge alike.
import { age } from '../observe/age.ts';
import type { HeadFacts, HeadState, ShownFinding } from '../observe/metrics-state.ts';

export interface LineRules {
  /** Of the exporter, milliseconds. */
  readonly confirmIntervalMs: number;
  /** Wall clock, milliseconds since 1970. */
  readonly now: number;
}

/** Intervals without a sign of life, or without a confirmation, that are one too many (reliability.md, invariant 3). */
const LATE_INTERVALS = 3;
/** Publishing to several stores is over by then. */
const SETTLED_MS = 60_000;
/** An answer's `Date` has a granularity of 1 s, twice, and `export.evidenceMarginSeconds` is 4. */
const CLOCKS_APART_MS = 5000;
/** Two weeks to renew a certificate. */
const LOADABLE_SOON_MS = 14 * 86_400_000;

type StoreHead = HeadState & { readonly head: HeadFacts };

export function lineFindings(
  gatewayVersion: string,
  heads: readonly HeadState[],
  rules: LineRules,
): ShownFinding[] {
  const verified = heads.filter(
    (state): state is StoreHead => state.state === 'verified' && state.head !== null,
  );
  const findings = heads.flatMap((head) => storeFindings(gatewayVersion, head));
  const [best] = [...verified].sort((a, b) => b.head.sequence - a.head.sequence);
  if (best === undefined) {
    // Before the first look nothing is known, and nothing is wrong.
    if (heads.length === 0 || heads.some(({ state }) => state === 'unknown')) return findings;
    return [nothingToRestore(gatewayVersion), ...findings];
  }
  return [
    ...contentFindings(gatewayVersion, best.head, rules),
    ...freshness(gatewayVersion, best.head, rules),
    ...findings,
    ...disagreement(gatewayVersion, best, verified, rules),
    ...clocks(gatewayVersion, verified),
  ];
}

const nothingToRestore = (gatewayVersion: string): ShownFinding => ({
  code: 'nothing-to-restore',
  about: gatewayVersion,
  severity: 'critical',
  message: `no storage holds a head that can be used for gateway ${gatewayVersion}: a new data plane would get nothing`,
  hint: 'Look at the exporter: is it running, for this gateway version, with this cluster name, bucket and prefix?',
});

function storeFindings(gatewayVersion: string, { store, state, error }: HeadState): ShownFinding[] {
  const about = `${gatewayVersion} ${store}`;
  const hint = error?.hint;
  const why = error === null ? '' : `${error.message} [${error.code}]`;
  const told = { about, severity: 'warning' as const, ...(hint !== undefined && { hint }) };
  switch (state) {
    case 'missing':
      return [
        {
          ...told,
          code: 'head-missing',
          message: `storage ${store} holds no head for gateway ${gatewayVersion}`,
          hint: 'The exporter writes it at its next confirmation; if it stays away, was the storage emptied?',
        },
      ];
    case 'refused':
      return [{ ...told, code: 'head-refused', message: why }];
    case 'unreadable':
      return [{ ...told, code: 'head-unreadable', message: why }];
    default:
      return [];
  }
}

function contentFindings(about: string, head: HeadFacts, { now }: LineRules): ShownFinding[] {
  const findings: ShownFinding[] = [];
  const { authenticated, current, hold } = head;
  const loadableMs =
    current.loadableUntil === null ? Number.POSITIVE_INFINITY : Date.parse(current.loadableUntil) - now;
  if (loadableMs <= 0) {
    findings.push({
      code: 'not-loadable',
      about,
      severity: 'critical',
      message: `data planes reject the published configuration since ${current.loadableUntil}: a CA certificate in it has expired`,
      hint: 'Renew that certificate in the control plane; until then data planes cannot load it from there either.',
    });
  } else if (loadableMs <= LOADABLE_SOON_MS) {
    findings.push({
      code: 'loadable-ends',
      about,
      severity: 'warning',
      message: `data planes reject the published configuration from ${current.loadableUntil} on: a CA certificate in it expires`,
      hint: 'Renew that certificate in the control plane before then.',
    });
  }
  if (hold !== null && (hold.until === null || Date.parse(hold.until) > now)) {
    findings.push({
      code: 'hold-in-force',
      about,
      severity: 'warning',
      message: `a rollback by ${hold.by} is in force since ${hold.since}${hold.until === null ? '' : `, until ${hold.until}`}: ${hold.reason}`,
      hint: 'New configurations that it rejects are not published while it lasts.',
    });
  }
  if (!authenticated) {
    findings.push({
      code: 'head-unsigned',
      about,
      severity: 'warning',
      message:
        'the head is not verified with a key: whoever can write to the storage decides what data planes run',
      hint: 'Set signing.publicKeys here, and signing.privateKey at the exporter (`kongfallback keygen`).',
    });
  }
  return findings;
}

function freshness(about: string, head: HeadFacts, { confirmIntervalMs, now }: LineRules): ShownFinding[] {
  const lateMs = LATE_INTERVALS * confirmIntervalMs;
  if (head.aliveAgeMs > lateMs) {
    return [
      {
        code: 'exporter-silent',
        about,
        severity: 'warning',
        message: `no exporter has written for ${age(seconds(head.aliveAgeMs))}, ${LATE_INTERVALS} confirmations are due`,
        hint: `Look at the exporter; the last one was ${head.writer}. What is published stays usable.`,
      },
    ];
  }
  const findings: ShownFinding[] = [];
  const { controlPlane, confirmedAgeMs, hold } = head;
  // A rollback confirms nothing while it lasts, and has a finding of its own.
  const isHeld = hold !== null && (hold.until === null || Date.parse(hold.until) > now);
  if (controlPlane.state === 'down') {
    findings.push({
      code: 'control-plane-down',
      about,
      severity: 'warning',
      message: `the exporter gets no configuration from the control plane since ${controlPlane.since}; what is published was confirmed ${age(seconds(confirmedAgeMs))} ago`,
      hint: "The control plane is unreachable, or connected and silent: the exporter's log and /status say which.",
    });
  } else if (confirmedAgeMs > lateMs && !isHeld) {
    findings.push({
      code: 'not-confirmed',
      about,
      severity: 'warning',
      message: `an exporter is there, and nothing has confirmed the published configuration for ${age(seconds(confirmedAgeMs))}`,
      hint: "The exporter's log and /status say why: a refused configuration, or control planes that disagree.",
    });
  }
  return findings;
}

function disagreement(
  gatewayVersion: string,
  best: StoreHead,
  verified: readonly StoreHead[],
  { confirmIntervalMs }: LineRules,
): ShownFinding[] {
  const others = verified.filter(
    ({ head }) => head.current.documentSha256 !== best.head.current.documentSha256,
  );
  if (others.length > 0 && best.head.aliveAgeMs > SETTLED_MS) {
    const list = verified.map(({ store, head }) => `${store} ${head.sequence}`).join(', ');
    return [
      {
        code: 'stores-disagree',
        about: gatewayVersion,
        severity: 'warning',
        message: `the storages hold different configurations, of sequence ${list}; readers use the one of ${best.store}`,
        hint: 'The exporter levels them when it reaches all of them; look at its log if this stays.',
      },
    ];
  }
  return verified
    .filter(({ head }) => head.aliveAgeMs - best.head.aliveAgeMs > LATE_INTERVALS * confirmIntervalMs)
    .map(({ store, head }) => ({
      code: 'store-behind',
      about: `${gatewayVersion} ${store}`,
      severity: 'warning' as const,
      message: `storage ${store} was last written ${age(seconds(head.aliveAgeMs))} ago, ${best.store} ${age(seconds(best.head.aliveAgeMs))} ago`,
      hint: 'The exporter cannot write there: look at its log, and at the rights of its credentials.',
    }));
}

function clocks(gatewayVersion: string, verified: readonly StoreHead[]): ShownFinding[] {
  const offsets = verified.flatMap(({ head }) => (head.clockOffsetMs === null ? [] : [head.clockOffsetMs]));
  const apartMs = Math.max(...offsets) - Math.min(...offsets);
  if (offsets.length < 2 || apartMs <= CLOCKS_APART_MS) return [];
  return [
    {
      code: 'store-clocks-disagree',
      about: gatewayVersion,
      severity: 'warning',
      message: `the clocks of the storages are ${seconds(apartMs)} s apart`,
      hint: 'Which of two configurations is newer is decided by them: set the clock of the wrong one.',
    },
  ];
}

const seconds = (ms: number): number => Math.round(ms / 1000);
