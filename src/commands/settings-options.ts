import { type Command, Option } from 'commander';
import { parseSetFlags } from '../config/index.ts';

export interface SettingsFlags {
  readonly config?: string;
  readonly kongConf?: string;
  readonly set: readonly string[];
  readonly json?: boolean;
}

/** The options that every command which reads settings has. */
export function withSettingsOptions(command: Command): Command {
  return command
    .addOption(configOption())
    .addOption(kongConfOption())
    .addOption(setOption())
    .option('--json', 'print the result as one JSON object');
}

export const flagsOf = ({ set }: SettingsFlags): Readonly<Record<string, string>> => parseSetFlags([...set]);

export const configOption = (): Option =>
  new Option(
    '-c, --config <path>',
    'settings file; default: found in the working directory, then /etc/kongfallback',
  );

export const kongConfOption = (): Option =>
  new Option('--kong-conf <path>', "a kong.conf, whose cluster_* settings go over the settings file's");

/** As "none" in the help, where commander would write "[]". */
export function setOption(): Option {
  return new Option('--set <path=value>', 'one setting, over everything else; repeatable')
    .argParser(collect)
    .default([], 'none');
}

export const collect = (value: string, former: readonly string[]): readonly string[] => [...former, value];
