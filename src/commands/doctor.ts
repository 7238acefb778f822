import { type Command, Option } from 'commander';
import { diagnose } from '../composition/doctor.ts';
import type { DoctorRole } from '../doctor/report.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { HEALTH_EXIT_CODE } from './health-exit-code.ts';
import { doctorText } from './render-doctor.ts';
import { flagsOf, type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface DoctorFlags extends SettingsFlags {
  readonly role: DoctorRole;
}

export function registerDoctor(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('doctor'))
    .summary('check from here everything that a role needs, before the day it is needed')
    .description(
      'Looks at settings, keys, certificates, clock, names, control plane, storages, snapshots, folders and ports as this ' +
        'role will use them, and says what to do about each thing that is wrong. As the exporter it writes a small object ' +
        'to each storage and deletes it again; otherwise it changes nothing. Exit code 0: well; 21: warnings; 22: errors.',
    )
    .addOption(
      new Option('--role <role>', 'what runs here')
        .choices(['exporter', 'node', 'relay'])
        .makeOptionMandatory(),
    )
    .action((flags: DoctorFlags) => doctorCommand(flags, io));
}

async function doctorCommand(flags: DoctorFlags, io: CommandIo): Promise<void> {
  const { config, json, kongConf, role } = flags;
  const places = {
    configPath: config,
    kongConf,
    flags: flagsOf(flags),
    cwd: io.cwd,
    env: io.env,
    terminal: io.terminal,
  };
  const { redact, report } = await diagnose(role, places, abortOnSignals());
  io.stdout(redact(json === true ? `${JSON.stringify(report)}\n` : doctorText(report)));
  io.exit(HEALTH_EXIT_CODE[report.status]);
}
