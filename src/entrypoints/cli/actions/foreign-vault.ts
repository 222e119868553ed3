import { isSafeForCredentials, Problem } from '../../../platform/http/index.ts';
import { UsageError } from './usage.ts';

/** A KV version 2 mount of another Vault, and a token for it. */
export type ForeignVault = { url: string; token: string; mount: string };

type Data = Record<string, unknown>;
/** `created_at`: as the Vault writes it, to the nanosecond. */
export type ForeignVersion = { number: number; created_at: string; expires_at: Date | undefined };
export type ForeignSecret = {
  labels: Record<string, string>;
  cas_required: boolean;
  /** 0: the number that the Vault has for all secrets. */
  max_versions: number;
  current_version: number;
  /** When each version was created, also those that cannot be read any more. */
  created_at: ReadonlyMap<number, string>;
  /** The readable versions, in order. */
  versions: ForeignVersion[];
};

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
  let asked = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    asked += 1;
    const answer = await get<{ keys: string[] }>(vault, `metadata/${next}`, { list: 'true' });
    for (const key of answer?.keys ?? []) (key.endsWith('/') ? folders : found).push(`${next}${key}`);
    // A folder can also contain folders without end.
    if (found.length + asked > mostSecrets)
      throw new UsageError(`There are more than ${mostSecrets} secrets and folders: import folders.`);
  }
  return found.sort();
}

type Metadata = {
  custom_metadata?: Record<string, string> | null;
  cas_required?: boolean;
  max_versions?: number;
  current_version?: number;
  versions: Record<string, { created_time: string; deletion_time: string; destroyed: boolean }>;
};

/** The labels, settings and versions of a secret. */
export async function describeForeign(vault: ForeignVault, path: string): Promise<ForeignSecret> {
  const metadata = await get<Metadata>(vault, `metadata/${path}`);
  const all = Object.entries(metadata?.versions ?? {}).map(([number, version]) => ({
    number: Number(number),
    ...version,
  }));
  const readable = all.filter(({ deletion_time, destroyed }) => !destroyed && !isPast(deletion_time));
  const versions = readable.map(({ number, created_time, deletion_time }) => ({
    ...{ number, created_at: created_time },
    expires_at: deletion_time === '' ? undefined : new Date(deletion_time),
  }));
  return {
    labels: metadata?.custom_metadata ?? {},
    cas_required: metadata?.cas_required ?? false,
    max_versions: metadata?.max_versions ?? 0,
    current_version: metadata?.current_version ?? 0,
    created_at: new Map(all.map(({ number, created_time }) => [number, created_time])),
    versions: versions.toSorted((a, b) => a.number - b.number),
  };
}

const isPast = (time: string) => time !== '' && new Date(time) <= new Date();

/**
 * The versions that were not imported yet. If the secret was created anew since the last import, its numbers have begun again: then all of
 * them.
 */
export function versionsAfter(
  { versions, current_version, created_at }: ForeignSecret,
  imported: { number: number; created_at: string } | null,
): ForeignVersion[] {
  if (!imported) return versions;
  const isOther = (created_at.get(imported.number) ?? imported.created_at) !== imported.created_at;
  if (isOther || current_version < imported.number) return versions;
  return versions.filter(({ number }) => number > imported.number);
}

/** The value of a version; undefined: it was deleted meanwhile. */
export async function readForeign(vault: ForeignVault, path: string, number: number): Promise<Data | undefined> {
  return (await get<{ data: Data | null }>(vault, `data/${path}`, { version: String(number) }))?.data ?? undefined;
}

/** @throws Problem: the Vault cannot be reached, or refuses. @returns undefined: there is nothing */
async function get<T>({ url, token, mount }: ForeignVault, path: string, query = {}): Promise<T | undefined> {
  const written = path.split('/').map(encodeURIComponent).join('/');
  const address = `${url.replace(/\/$/, '')}/v1/${mount}/${written}?${new URLSearchParams(query)}`;
  const headers = { 'x-vault-token': token, 'x-vault-request': 'true' };
  const unreachable = (error: Error) => {
    throw new Problem(503, 'remote', { title: 'Unreachable', detail: `Cannot reach ${url}: ${error.message}.` });
  };
  const response = await fetch(address, { headers, redirect: 'error' }).catch(unreachable);
  if (response.status === 404) return undefined;
  // The connection can also end within the response.
  if (response.ok) return ((await response.json().catch(unreachable)) as { data: T }).data;
  const detail = `The Vault answered ${response.status} for "${mount}/${path}". Check the token and its permissions.`;
  throw new Problem(response.status, 'remote', { title: 'Refused', detail });
}
