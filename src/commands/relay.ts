import type { Command } from 'commander';
import { relayParts } from '../composition/relay.ts';
import { RelayService } from '../composition/relay-service.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

export function registerRelay(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('relay'))
    .summary(
      'the address that data planes dial: passes through, and stands in while the control plane is down',
    )
    .description(
      'Listens on relay.listen as the control plane of unmodified data planes. While the control plane answers, their ' +
        'connections are passed through unopened. While it does not, they get the newest stored configuration of their ' +
        'exact version. When it is back they are given back to it at the pace that it keeps, until the relay is stopped ' +
        '(SIGTERM), which lets them go over relay.drainSeconds. SIGHUP: certificates and keys are read again and the heads ' +
        'looked at, now; both happen by themselves too.',
    )
    .action((flags: SettingsFlags) => relayCommand(flags, io));
}

async function relayCommand(flags: SettingsFlags, io: CommandIo): Promise<void> {
  const signal = abortOnSignals();
  const { loaded, log } = await openCommandSettings('relay', flags, io);
  const relay = new RelayService(relayParts(loaded, log), { reload: () => reloaded(flags, io) });
  const lookNow = () => relay.lookNow();
  process.on('SIGHUP', lookNow);
  try {
    await relay.run(signal);
  } finally {
    process.off('SIGHUP', lookNow);
    await relay.close();
  }
}

/** Its warnings were said at the start. */
async function reloaded(flags: SettingsFlags, io: CommandIo) {
  return (await openCommandSettings('relay', flags, io, { level: 'error' })).loaded;
}
