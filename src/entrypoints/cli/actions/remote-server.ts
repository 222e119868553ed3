import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import {
  type CallInput,
  entityTag,
  invalid,
  isSafeForCredentials,
  JsonLines,
  Problem,
  type RouteShape,
  type Transport,
} from '../../../platform/http/index.ts';

export type RemoteOptions = { url?: string | undefined; token?: string | undefined; profile: string };

const Profile = z.strictObject({
  url: z.url(),
  client_id: z.string(),
  client_secret: z.string(),
  scope: z.string().optional(),
});
type Profile = z.infer<typeof Profile>;

/**
 * Calls the admin API of a server over HTTP: with its address and a token, or with the credentials that `latchkey login` stored. A call
 * throws a Problem: the refusal of the server, that it cannot be reached, or that there are no credentials.
 */
export function remoteServer(options: RemoteOptions): Transport<RouteShape> {
  let known: Promise<Access> | undefined;
  return async (route, input) => {
    known ??= accessFrom(options);
    const { url, token } = await known;
    const response = await answerOf(addressOf(url, route, input), requestOf(token, route, input));
    return route.response === JsonLines ? response.body?.pipeThrough(new TextDecoderStream()) : valueIn(response);
  };
}

type Access = { url: string; token: string };

async function accessFrom({ url, token, profile: file }: RemoteOptions): Promise<Access> {
  if (url && token) return { url, token };
  const profile = await readProfile(file);
  return { url: url ?? profile.url, token: token ?? (await tokenOf(profile)) };
}

function addressOf(url: string, { path }: RouteShape, { params = {}, query = {} }: CallInput): string {
  const at = path.replaceAll(/\{(\w+)\}/g, (_, param: string) => encodeURIComponent(params[param] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return `${url}/admin/v1${at}${search.size > 0 ? `?${search}` : ''}`;
}

function requestOf(token: string, { method }: RouteShape, { body, ifVersion }: CallInput): RequestInit {
  return {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(ifVersion !== undefined && { 'if-match': entityTag(ifVersion) }),
      ...(method === 'POST' && { 'idempotency-key': crypto.randomUUID() }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}

/** Stores credentials for later commands once they have worked; readable by this account only. */
export async function keepProfile(file: string, given: Profile): Promise<void> {
  const profile = Profile.parse(given);
  await tokenOf(profile);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(profile, undefined, 2)}\n`, { mode: 0o600 });
  // Writing does not change the mode of an existing file.
  await chmod(file, 0o600);
}

async function readProfile(file: string): Promise<Profile> {
  try {
    return Profile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    throw invalid('', `Give --url and LATCHKEY_TOKEN, or run "latchkey login" first: ${file} has no credentials.`);
  }
}

async function tokenOf({ url, client_id, client_secret, scope = 'latchkey:*' }: Profile): Promise<string> {
  const credentials = [client_id, client_secret].map(encodeURIComponent).join(':');
  const answer = await answerOf(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${url}/admin`, scope }),
  });
  return z.object({ access_token: z.string() }).parse(await valueIn(answer)).access_token;
}

/** @throws Problem: the server cannot be reached, or refuses */
async function answerOf(address: string, init: RequestInit): Promise<Response> {
  if (!isSafeForCredentials(new URL(address)))
    throw invalid('', 'Credentials are sent only to https addresses, or to this machine.');
  const response = await fetch(address, init).catch((error: Error) => {
    const reason = (error.cause as Error | undefined)?.message ?? error.message;
    const detail = `Cannot reach ${new URL(address).origin}: ${reason}.`;
    throw new Problem(503, 'remote', { title: 'Cannot reach the server', detail });
  });
  if (response.ok) return response;
  throw refusal(response.status, readable(await response.text()));
}

async function valueIn(response: Response): Promise<unknown> {
  const text = await response.text();
  return text === '' ? undefined : readable(text);
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // For example a proxy's error page; the status says more.
    return {};
  }
}

/** A server's refusal as the Problem that a route in this process would throw. */
function refusal(status: number, body: unknown): Problem {
  const { detail, error_description, pointer, errors } = body as {
    detail?: string;
    error_description?: string;
    pointer?: string;
    errors?: { pointer: string; detail: string }[];
  };
  const words = detail ?? error_description ?? 'the server refused';
  return new Problem(status, 'remote', {
    title: 'Refused',
    detail: `${words} (${status})`,
    ...(pointer && { pointer }),
    ...(errors && { members: { errors } }),
  });
}
