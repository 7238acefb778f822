import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { diskSpace } from '../doctor/checks/disk-space.ts';
import { type FolderToCheck, writableFolder } from '../doctor/checks/writable-folder.ts';
import type { Check } from '../doctor/run-checks.ts';
import type { StatusReport } from '../status/report.ts';
import type { DoctorSite } from './doctor-site.ts';

/** @param status what the stores hold, for the size of a document */
export function folderChecks(site: DoctorSite, status: (() => Promise<StatusReport>) | undefined): Check[] {
  const folders = foldersOf(site);
  return folders.flatMap((folder): Check[] => [
    { area: 'disk and ports', name: folder.setting, look: () => writableFolder(folder) },
    {
      area: 'disk and ports',
      name: `space for ${folder.setting}`,
      look: async () => {
        const documentBytes = await status?.().then(largestDocument, () => undefined);
        return diskSpace({ setting: folder.setting, path: folder.path, documentBytes }, freeBytes);
      },
    },
  ]);
}

/** Where a cache cannot be written sealed bytes go to the temporary folder; a target has no such place. */
function foldersOf({ loaded, role }: DoctorSite): FolderToCheck[] {
  const { baseDirectory, entries, settings } = loaded;
  const cache = (setting: string, path: string): FolderToCheck => ({
    setting,
    path,
    made: true,
    severity: 'warning',
  });
  if (role === 'relay') {
    return [cache('relay.cacheDirectory', resolve(baseDirectory, settings.relay.cacheDirectory))];
  }
  if (role !== 'node') return [];
  const { target } = entries;
  const path = (target?.settings as { readonly path?: unknown } | undefined)?.path;
  const isFile = target?.use === 'file' && target.reference.url === null && typeof path === 'string';
  return [
    cache('bootstrap.cacheDirectory', settings.bootstrap.cacheDirectory),
    ...(isFile
      ? [
          {
            setting: 'bootstrap.target',
            path: dirname(resolve(baseDirectory, path)),
            made: false,
            severity: 'error' as const,
          },
        ]
      : []),
  ];
}

function largestDocument({ lines }: StatusReport): number | undefined {
  const sizes = lines.flatMap(({ heads }) =>
    heads.flatMap(({ head }) => (head === null ? [] : [head.current.documentBytes])),
  );
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
