/** Where a setting stands: object keys are strings, list indexes numbers. */
export type SettingPath = readonly (string | number)[];

/** `storages[0].bucket`: how a path is written in messages, in `--set` and in every output. */
export function pathText(path: SettingPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** The reverse; `storages.0.bucket` is understood too. Undefined for what is no path. */
export function parsePath(text: string): SettingPath | undefined {
  const parts = text.replaceAll(/\[(\d{1,4})\]/g, '.$1').split('.');
  if (parts.some((part) => part === '' || part === '__proto__')) return undefined;
  return parts.map((part) => (/^\d{1,4}$/.test(part) ? Number(part) : part));
}

export function startsWith(path: SettingPath, prefix: SettingPath): boolean {
  return prefix.length <= path.length && prefix.every((part, i) => part === path[i]);
}
