import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text as readAll } from 'node:stream/consumers';
import { Problem, unavailable } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, readSecret } from './input.ts';
import { answer, columns } from './output.ts';
import { routesOf } from './routes.ts';
import { UsageError } from './usage.ts';

type Json = { json?: boolean };
type Addressed = Json & { address: string[] };
type State = { kind: string; initialized: boolean; sealed: boolean };
/** As a server answers `sys/seal-status`. */
type NodeState = { initialized: boolean; sealed: boolean; t: number; n: number; progress: number };

export const initialize = onInstallation(
  async (place: CommandContext, options: Json & { shares: string; threshold: string }) => {
    const body = { shares: Number(options.shares), threshold: Number(options.threshold) };
    const made = await routesOf(place).call('POST /vault/initialize', { body });
    answer(options, made, [
      'The shares of the key, shown only this once. Give each to another person:',
      ...made.keys.map((key, n) => `  ${n + 1}: ${key}`),
      `Any ${made.threshold} of them open the vault: latchkey vault unseal`,
    ]);
  },
);

export const status = onInstallation(async (place: CommandContext, options: Addressed) => {
  const state = await routesOf(place).call('GET /vault');
  if (state.kind === 'static') return answer(options, state, [wordsOf(state)]);
  const nodes = await askNodes(place, options, (address, host) => call(address, host, 'sys/seal-status'));
  return answer(options, nodes, columns(nodes.map(({ address, state }) => [address, wordsOfNode(state)])));
});

export const seal = onInstallation(async (place: CommandContext, options: Json & { yes?: boolean }) => {
  const question = 'Seal the secrets? No server reads or writes one until they are unsealed.';
  const isDone = await isConfirmed(question, { ...options, scripts: 'go on' });
  const routes = routesOf(place);
  const state = isDone ? await routes.call('POST /vault/seal') : await routes.call('GET /vault');
  answer(options, state, [isDone ? wordsOf(state) : 'Nothing changed.']);
});

export const rotate = onInstallation(async (place: CommandContext, options: Json) => {
  const made = await routesOf(place).call('POST /vault/rotate');
  answer(options, made, [`New secrets are sealed under term ${made.term}; the present ones follow.`]);
});

export const unseal = onInstallation(async (place: CommandContext, options: Addressed) => {
  const routes = routesOf(place);
  const { kind } = await routes.call('GET /vault');
  if (kind === 'static') {
    const state = await routes.call('POST /vault/unseal', { body: {} });
    return answer(options, state, [wordsOf(state)]);
  }
  const key = (await readSecret('Share of the key: '))?.trim();
  if (!key) throw new UsageError('Give a share of the key on standard input.');
  const nodes = await askNodes(place, options, (address, host) => call(address, host, 'sys/unseal', { key }));
  return answer(options, nodes, columns(nodes.map(({ address, state }) => [address, wordsOfNode(state)])));
});

/** Each server has its own keys in memory, so that each is asked. */
async function askNodes(
  { config }: CommandContext,
  { address: named }: Addressed,
  ask: (address: string, host: string) => Promise<NodeState>,
): Promise<{ address: string; state: NodeState }[]> {
  const { issuer = '' } = config;
  const addresses = named.length > 0 ? named : [issuer];
  const { host } = new URL(issuer);
  return Promise.all(addresses.map(async (address) => ({ address, state: await ask(address, host) })));
}

const patienceMs = 10_000;

/** A server takes requests for the host of the issuer alone, whatever its own address is. */
async function call(address: string, host: string, path: string, body?: object): Promise<NodeState> {
  const url = URL.parse(`/v1/${path}`, address);
  if (!url) throw new UsageError(`--address must be the URL of a server, not "${address}".`);
  const { status, text } = await send(url, host, body).catch(() => {
    throw new Problem(503, 'unreachable', { title: 'Unreachable', detail: `No server answers at ${address}.` });
  });
  const answered = JSON.parse(text) as NodeState & { errors?: string[] };
  if (status === 200) return answered;
  const [detail = `The server answered ${status}.`] = answered.errors ?? [];
  throw status >= 500 ? unavailable() : new Problem(status, 'refused', { title: 'Refused', detail: `${detail}.` });
}

function send(url: URL, host: string, body: object | undefined): Promise<{ status: number; text: string }> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const content = body && JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { host, ...(content && { 'content-length': String(Buffer.byteLength(content)) }) };
    const method = content ? 'PUT' : 'GET';
    const sent = request(url, { method, headers, timeout: patienceMs }, (response) => {
      readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('timeout')));
    sent.on('error', reject);
    sent.end(content);
  });
}

function wordsOfNode({ initialized, sealed, t, progress }: NodeState): string {
  if (!initialized) return 'not initialized';
  return sealed ? `sealed, ${progress} of ${t} shares given` : 'open';
}

function wordsOf({ kind, initialized, sealed }: State): string {
  if (!initialized) return 'The vault is not initialized.';
  if (kind === 'shamir') return 'The vault is sealed on every server.';
  return sealed ? 'The vault is sealed.' : 'The vault is open.';
}
