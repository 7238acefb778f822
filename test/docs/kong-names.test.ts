import { describe, expect, it } from 'vitest';
import { KONG_NAME_LIST } from '../../src/config/kong-names.ts';
import { read } from './repository.ts';

const section = read('README.md').split("## With Kong's own settings\n")[1]?.split('\n## ')[0] ?? '';

describe("README, With Kong's own settings", () => {
  it('has every name that is understood, and no other', () => {
    const named = section.match(/(?<=`)[a-z]+(_[a-z0-9]+)+(?=`)/g) ?? [];
    const single = KONG_NAME_LIST.filter((name) => !name.includes('_'));
    for (const name of single) expect(section).toContain(`\`${name}\``);
    expect([...new Set(named.filter((name) => name !== 'data_plane'))].sort()).toEqual(
      KONG_NAME_LIST.filter((name) => !single.includes(name)).sort(),
    );
  });

  it('has every variable of AWS that is read', () => {
    const client = read('plugins/storage/s3/client.ts');
    const variables = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_CONFIG_STORAGE_ENDPOINT'];
    for (const name of variables) {
      expect(section).toContain(`\`${name}\``);
      expect(client).toContain(`'${name}'`);
    }
  });
});
