/** What the AWS SDK, Vault and proxies take from the environment, past the settings. */
const SECRETS = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'VAULT_TOKEN',
];
const URLS = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];

/** Secrets that a process may use without a setting that names them; for redaction. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const plain = SECRETS.map((name) => env[name]);
  const inUrls = URLS.flatMap((name) => credentialsIn(env[name] ?? ''));
  return [...plain, ...inUrls].filter((secret) => secret !== undefined);
}

/** As written, and decoded; alone, and with the user as a proxy is told them in base64. */
function credentialsIn(text: string): string[] {
  const url = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(url)) return [];
  const { password, username } = new URL(url);
  if (password === '') return [];
  return [password, decoded(password), `${decoded(username)}:${decoded(password)}`];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
