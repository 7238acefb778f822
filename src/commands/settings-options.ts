import type { Command } from 'commander';
import { parseSetFlags } from '../config/index.ts';

export interface SettingsFlags {
  readonly config?: string;
  readonly set: readonly string[];
  readonly json?: boolean;
}

/** The options that every command which reads settings has. */
export function withSettingsOptions(command: Command): Command {
  return command
    .option(
      '-c, --config <path>',
      'settings file; default: found in the working directory, then /etc/kongfallback',
    )
    .option('--set <path=value>', 'one setting, over everything else; repeatable', collect, [])
    .option('--json', 'print the result as one JSON object');
}

export const flagsOf = ({ set }: SettingsFlags): Readonly<Record<string, string>> => parseSetFlags([...set]);

const collect = (value: string, former: readonly string[]): readonly string[] => [...former, value];
