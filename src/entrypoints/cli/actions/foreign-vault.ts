import { isSafeForCredentials, Problem } from '../../../platform/http/index.ts';
import { UsageError } from './usage.ts';

/** A KV version 2 mount of another Vault, and a token for it. */
export type ForeignVault = { url: string; token: string; mount: string };

type Data = Record<string, unknown>;
export type ForeignVersion = { number: number; data: Data };
export type ForeignSecret = { path: string; labels: Record<string, string>; numbers: number[] };

const mostSecrets = 100_000;

/** @throws UsageError: the token would be sent unencrypted */
export function mustBeSafe({ url }: ForeignVault): void {
  const parsed = URL.parse(url);
  if (!parsed) throw new UsageError(`--vault must be the URL of a Vault, not "${url}".`);
  if (isSafeForCredentials(parsed)) return;
  throw new UsageError('--vault: a token is sent only to https addresses, or to this machine.');
}

/** The paths of the secrets in a folder and those within. `folder` is empty, or has a slash at the end. */
export async function listForeign(vault: ForeignVault, folder: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const answer = await get<{ keys: string[] }>(vault, `metadata/${next}`, { list: 'true' });
    for (const key of answer?.keys ?? []) (key.endsWith('/') ? folders : found).push(`${next}${key}`);
    if (found.length > mostSecrets) throw new UsageError(`There are more than ${mostSecrets} secrets: import folders.`);
  }
  return found.sort();
}

type Metadata = {
  custom_metadata?: Record<string, string> | null;
  versions: Record<string, { deletion_time: string; destroyed: boolean }>;
};

/** The labels of a secret, and the numbers of its readable versions, in order. */
export async function describeForeign(vault: ForeignVault, path: string): Promise<ForeignSecret> {
  const metadata = await get<Metadata>(vault, `metadata/${path}`);
  const readable = Object.entries(metadata?.versions ?? {}).filter(
    ([, { deletion_time, destroyed }]) => !destroyed && !isPast(deletion_time),
  );
  const numbers = readable.map(([number]) => Number(number)).toSorted((a, b) => a - b);
  return { path, labels: metadata?.custom_metadata ?? {}, numbers };
}

const isPast = (time: string) => time !== '' && new Date(time) <= new Date();

/** The value of a version; undefined: it was deleted meanwhile. */
export async function readForeign(vault: ForeignVault, path: string, number: number): Promise<Data | undefined> {
  return (await get<{ data: Data | null }>(vault, `data/${path}`, { version: String(number) }))?.data ?? undefined;
}

/** @throws Problem: the Vault cannot be reached, or refuses. @returns undefined: there is nothing */
async function get<T>({ url, token, mount }: ForeignVault, path: string, query = {}): Promise<T | undefined> {
  const written = path.split('/').map(encodeURIComponent).join('/');
  const address = `${url.replace(/\/$/, '')}/v1/${mount}/${written}?${new URLSearchParams(query)}`;
  const headers = { 'x-vault-token': token, 'x-vault-request': 'true' };
  const response = await fetch(address, { headers, redirect: 'error' }).catch((error: Error) => {
    throw new Problem(503, 'remote', { title: 'Unreachable', detail: `Cannot reach ${url}: ${error.message}.` });
  });
  if (response.status === 404) return undefined;
  if (response.ok) return ((await response.json()) as { data: T }).data;
  const detail = `The Vault answered ${response.status} for "${mount}/${path}". Check the token and its permissions.`;
  throw new Problem(response.status, 'remote', { title: 'Refused', detail });
}
