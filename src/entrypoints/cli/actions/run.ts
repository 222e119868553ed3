import { spawn } from 'node:child_process';
import { environmentFor } from '../../../config.ts';
import { invalid, isLoopbackName, Problem } from '../../../platform/http/index.ts';
import { action } from './command-context.ts';
import { UsageError } from './usage.ts';

type Options = { secret: string[]; url?: string; token?: string };
type Data = Record<string, unknown>;

/** Reads the secrets, and becomes the program: its signals, and how it ends. */
export const run = action(async ([program = '', ...given]: string[], { secret, url, token }: Options) => {
  if (!url || !token) throw new UsageError('Set LATCHKEY_URL and LATCHKEY_TOKEN: the server, and an API key or token.');
  const read = await Promise.all(secret.map((path) => variablesOf(path, { url, token })));
  await started(program, given, environmentFor(Object.assign({}, ...read)));
});

/** Each part of a secret is a variable of its name; a secret of one value is named by its path. */
async function variablesOf(
  path: string,
  { url, token }: { url: string; token: string },
): Promise<Record<string, string>> {
  const data = await read(path, { url: url.replace(/\/$/, ''), token });
  const entries = Object.entries(data).map(([name, value]) => {
    const isOnly = name === 'value' && Object.keys(data).length === 1;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [variableNamed(isOnly ? (path.split('/').at(-1) ?? '') : name), text] as const;
  });
  return Object.fromEntries(entries);
}

/** Names that no shell takes are written as is usual: `db-password` is `DB_PASSWORD`. */
function variableNamed(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name)
    ? name
    : name
        .toUpperCase()
        .replaceAll(/\W/g, '_')
        .replace(/^(?=\d)/, '_');
}

/** @throws Problem: the server cannot be reached, or refuses */
async function read(path: string, { url, token }: { url: string; token: string }): Promise<Data> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !isLoopbackName(hostname))
    throw invalid('', 'Credentials only go to https addresses, or to this machine.');
  const address = `${url}/v1/secret/data/${path.split('/').map(encodeURIComponent).join('/')}`;
  const response = await fetch(address, { headers: { 'x-vault-token': token } }).catch((error: Error) => {
    throw new Problem(503, 'remote', { title: 'Unreachable', detail: `Cannot reach ${url}: ${error.message}.` });
  });
  if (response.ok) return ((await response.json()) as { data: { data: Data } }).data.data;
  const detail = `The server did not answer with the secret "${path}" (${response.status} ${meanings[response.status] ?? ''}).`;
  throw new Problem(response.status, 'remote', { title: 'Refused', detail });
}

const meanings: Readonly<Record<number, string>> = {
  403: 'the token is not good, or may not read it',
  404: 'there is no such secret, or it was deleted',
  503: 'the secrets are sealed, or the database cannot be reached',
};

function started(program: string, given: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, given, { stdio: 'inherit', env });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new UsageError(`Cannot start ${program}: ${error.message}.`)));
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal ? 128 + 15 : 1);
      resolve();
    });
  });
}
