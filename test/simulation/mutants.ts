import type { Theme } from './scenario.ts';

/** A planted bug: text of the product code, and what takes its place. */
export interface Mutant {
  readonly name: string;
  /** Where it shows soonest. */
  readonly theme?: Theme;
  /** By file: what is there exactly once, and what it becomes. */
  readonly changes: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>;
}

/** Those of reliability.md ("Planted bugs that the tests must catch") that a run of the simulation can show. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'replace on evidence older than the head',
    changes: {
      'src/export/follow.ts': [['if (!link.isEvidenceAbout(heads)) return this.#dial();', '']],
    },
  },
  {
    name: 'settle a lost race upon the same frame',
    changes: {
      'src/export/follow.ts': [
        [
          "if (typeof result === 'string') this.#again(result);",
          "if (result === 'conflict') { link.heads = await this.#line.readHeads(this.#work); return this.#store(link); } else if (typeof result === 'string') this.#again(result);",
        ],
      ],
    },
  },
  {
    name: 'connect first, then read the head',
    changes: {
      'src/export/once.ts': [
        [
          `  const heads = await line.readHeads(signal);
  const { session, received } = await receiveFirst(source, line.settings.gatewayVersion, signal);
`,
          `  const { session, received } = await receiveFirst(source, line.settings.gatewayVersion, signal);
  const heads = await line.readHeads(signal);
`,
        ],
      ],
    },
  },
  {
    name: 'no margin',
    changes: {
      'src/export/decide.ts': [['if (lead > rules.marginMs) continue;', 'if (lead > 0) continue;']],
    },
  },
  {
    name: 'what is older replaces too',
    theme: 'behind',
    changes: {
      'src/export/decide.ts': [["if (lead < 0) return { action: 'older', against: storeId };", '']],
    },
  },
  {
    name: 'a clock reading across a pause: control plane',
    theme: 'stops',
    changes: {
      'src/kong/peer-clock.ts': [['const USABLE_WITHIN_MS = 2000;', 'const USABLE_WITHIN_MS = Infinity;']],
    },
  },
  {
    name: 'a clock reading across a pause: store',
    theme: 'stops',
    changes: {
      'src/export/store-clock.ts': [['const USABLE_WITHIN_MS = 2000;', 'const USABLE_WITHIN_MS = Infinity;']],
      'src/snapshot/store-answer.ts': [['const MAX_ANSWER_MS = 2_000;', 'const MAX_ANSWER_MS = Infinity;']],
    },
  },
  {
    name: 'levelling by sequence alone',
    theme: 'stores',
    changes: {
      'src/export/decide.ts': [
        [
          'for (const { storeId, head } of heads) {',
          'for (const { storeId, head } of heads.filter((one) => one.head === base)) {',
        ],
      ],
    },
  },
  {
    name: 'equal content does not raise asOf',
    theme: 'repeats',
    changes: {
      'src/export/next-head.ts': [
        ['asOf: time(Math.max(asOf, Date.parse(current.asOf)))', 'asOf: current.asOf'],
      ],
    },
  },
  {
    name: 'equal content with newer evidence is not written',
    theme: 'repeats',
    changes: { 'src/export/follow.ts': [["confirm: 'always' as const", "confirm: 'due' as const"]] },
  },
  {
    name: 'sequence from the own clock',
    changes: {
      'src/export/head-writer.ts': [
        [
          'nextSequence(replaced, this.#lastSequence, now)',
          'nextSequence(replaced, this.#lastSequence, this.#deps.clock.now())',
        ],
      ],
      'src/export/decide.ts': [
        [
          'return Math.max(...seen, ownLast + 1, Math.floor(storeNow / 1000));',
          'return Math.floor(storeNow / 1000);',
        ],
      ],
    },
  },
  {
    name: 'the first sequence from the own clock',
    theme: 'any',
    changes: {
      'src/export/head-writer.ts': [
        [
          'nextSequence(replaced, this.#lastSequence, now)',
          'nextSequence(replaced, this.#lastSequence, this.#deps.clock.now())',
        ],
      ],
    },
  },
  {
    name: 'the first head by the own clock',
    changes: { 'src/export/pipeline.ts': [['if (!this.#storeClock.isTold) {', 'if (false) {']] },
  },
  {
    name: 'confirm without evidence',
    changes: {
      'src/export/next-head.ts': [['confirmedAt: base.confirmedAt,', 'confirmedAt: time(facts.now),']],
    },
  },
  {
    name: 'dedupe against any listed hash',
    changes: {
      'src/export/decide.ts': [
        [
          'return sameContent(candidate, contentOf(base)) ?',
          'return base.entries.some((entry) => entry.configHash === candidate.configHash) ?',
        ],
      ],
    },
  },
  {
    name: 'a rollback is undone by a restart',
    theme: 'rollback',
    changes: {
      'src/export/decide.ts': [
        ["if (isRejected(candidate, holdAt(base.hold, rules.now))) return { action: 'held', base };", ''],
      ],
    },
  },
  {
    name: 'levelling without evidence beside a head that has moved on',
    theme: 'stores',
    changes: {
      'src/export/head-writer.ts': [
        ['to.lagging !== undefined && isUncontested(written)', 'to.lagging !== undefined'],
      ],
    },
  },
  {
    name: 'the key of a snapshot without the digest of its ciphertext',
    changes: {
      'src/export/entry.ts': [
        ['snapshotKey(prepared.sha256, sealed.sha256)', 'snapshotKey(prepared.sha256, prepared.sha256)'],
      ],
    },
  },
  {
    name: 'orphans are collected without grace',
    changes: {
      'src/export/collect.ts': [
        [
          'if (since === undefined || now - since < GRACE_MS) continue;',
          'if (delistedAt.has(key) && now - (since ?? 0) < GRACE_MS) continue;',
        ],
      ],
    },
  },
  {
    name: 'delisted snapshots are collected without grace',
    changes: {
      'src/export/collect.ts': [
        [
          'if (since === undefined || now - since < GRACE_MS) continue;',
          'if (!delistedAt.has(key)) continue;',
        ],
      ],
    },
  },
  {
    name: 'a head is swapped without a condition',
    changes: {
      'src/snapshot/snapshot-store.ts': [
        [
          'const condition = etag === undefined ? { ifAbsent: true as const } : { ifMatch: etag };',
          "const now = await this.#read({ signal }); const condition = now === undefined || now === 'not-modified' ? { ifAbsent: true as const } : { ifMatch: now.etag };",
        ],
      ],
    },
  },
  {
    name: 'a head before the snapshots it lists',
    changes: { 'src/export/publish.ts': [['    await level?.();\n', '']] },
  },
];
