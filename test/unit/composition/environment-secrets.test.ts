import { expect, it } from 'vitest';
import { environmentSecrets } from '../../../src/composition/environment-secrets.ts';
import { Redactor } from '../../../src/observe/index.ts';

it('what the environment holds past the settings is blanked, in the forms in which it is sent', () => {
  const { redact } = new Redactor(
    environmentSecrets({
      AWS_SECRET_ACCESS_KEY: 'planted/secret+key',
      AWS_SESSION_TOKEN: 'planted-session-token',
      HTTPS_PROXY: 'http://user:planted%40password@proxy:3128',
      http_proxy: 'other:planted-second@proxy:3128',
      HTTP_PROXY: 'no url at all: \u0000',
      HOME: '/home/planted-is-no-secret',
    }),
  );
  const sent = [
    'planted/secret+key',
    'planted-session-token',
    'planted%40password',
    'planted@password',
    'planted-second',
    Buffer.from('user:planted@password').toString('base64'),
  ];
  for (const text of sent) expect(redact(`x ${text} y`)).toBe('x *** y');
  expect(redact('http://user@proxy:3128 /home/planted-is-no-secret')).toContain(
    'user@proxy:3128 /home/planted',
  );
});

it('an environment without secrets has none', () => {
  expect(environmentSecrets({ HTTPS_PROXY: 'http://proxy:3128', PATH: '/bin' })).toEqual([]);
});
