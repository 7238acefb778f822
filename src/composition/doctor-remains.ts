import { resolveControlPlane } from '../config/control-plane-settings.ts';
import { pathText } from '../config/setting-path.ts';
import { certificate } from '../doctor/checks/certificate.ts';
import { signingKeys } from '../doctor/checks/signing-keys.ts';
import type { Fault, Observation } from '../doctor/observation.ts';
import type { DoctorRole } from '../doctor/report.ts';
import type { Check } from '../doctor/run-checks.ts';
import { systemClock } from '../resilience/index.ts';
import type { DoctorPlaces } from './doctor-settings.ts';
import { type WrittenSettings, writtenSettings } from './doctor-written.ts';

/** Files and keys of settings that are refused for something else: they are looked at only after that is mended. */
export function remainingChecks(role: DoctorRole, places: DoctorPlaces): Check[] {
  const look = (work: (written: WrittenSettings) => Promise<Observation[]>) => async () => {
    const written = await writtenSettings(places).catch(() => undefined);
    return written === undefined ? [] : work(written);
  };
  const area = 'keys and certificates';
  return [
    { area, name: 'cluster certificate', look: look(clusterCertificate) },
    ...(role === 'exporter' ? [{ area, name: 'signing keys', look: look(signing) } as const] : []),
  ];
}

async function clusterCertificate(written: WrittenSettings): Promise<Observation[]> {
  const value = async (name: string): Promise<string | undefined> => {
    const text = written.text(['controlPlane', name]);
    return text === undefined ? undefined : written.resolve(text).catch(() => undefined);
  };
  const [given, key, ca] = [await value('certificate'), await value('key'), await value('ca')];
  if (given === undefined || key === undefined) return [];
  const { problems, settings } = await resolveControlPlane(
    { address: '', certificate: given, key, mtls: ca === undefined ? 'shared' : 'pki', ca },
    written.baseDirectory,
  );
  const valid =
    settings === undefined
      ? []
      : certificate({ setting: 'controlPlane.certificate', pem: settings.certificate }, systemClock.now());
  return [
    ...problems.map(({ message, path }) =>
      invalid(
        'error',
        `${pathText(path)}: ${message}`,
        'Give the files of `kong hybrid gen_cert`, or of your CA.',
      ),
    ),
    ...valid,
  ];
}

async function signing(written: WrittenSettings): Promise<Observation[]> {
  const privateKey = written.text(['signing', 'privateKey']);
  const publicKey = written.text(['signing', 'publicKeys', 0]);
  if (privateKey === undefined || publicKey === undefined) return [];
  // What leads to nothing has been said.
  const found = await Promise.all([privateKey, publicKey].map((text) => written.resolve(text))).catch(
    () => [],
  );
  const [own, known] = found;
  return own === undefined || known === undefined ? [] : signingKeys(own, [known]);
}

const invalid = (severity: Fault, message: string, hint: string): Observation => ({
  severity,
  code: 'KF_SETTINGS_INVALID',
  message,
  hint,
});
