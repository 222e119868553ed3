import { lookup } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import type { CommandContext } from './command-context.ts';
import { answer, columns } from './output.ts';
import { UsageError } from './usage.ts';

export type Addressed = { address: string[]; all?: boolean };
/** The response of a server's `sys/seal-status`. */
type NodeState = { initialized: boolean; sealed: boolean; t: number; n: number; progress: number };
type NodeRequest = { path: string; body?: object | undefined };
/** A server; `ip`: one of several that the name resolves to. */
type Node = { address: string; url: URL; ip?: string };
export type NodeAnswer = { address: string; state?: NodeState; error?: string };

/**
 * Sends requests to each server, one after the other: each has its own keys in memory. A server that does not answer, or refuses, does not
 * prevent the requests to others.
 */
export async function askNodes(
  { config }: CommandContext,
  { address: named, all = false }: Addressed,
  requests: readonly NodeRequest[],
): Promise<NodeAnswer[]> {
  const { issuer = '' } = config;
  const { host } = new URL(issuer);
  const nodes = (named.length > 0 ? named : [issuer]).map(nodeAt);
  const asked = all ? (await Promise.all(nodes.map(everyAddressOf))).flat() : nodes;
  return Promise.all(asked.map((node) => askNode(node, host, requests)));
}

/** Prints the response of each server. The command fails if one could not be reached. */
export function answerNodes(options: { json?: boolean }, nodes: readonly NodeAnswer[]): void {
  const wordsOf = ({ state, error = '' }: NodeAnswer) => (state ? wordsOfNode(state) : error);
  answer(options, nodes, columns(nodes.map((node) => [node.address, wordsOf(node)])));
  if (nodes.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

function nodeAt(address: string): Node {
  const url = URL.parse(address);
  if (!url) throw new UsageError(`--address must be the URL of a server, not "${address}".`);
  return { address, url };
}

/** The servers behind a name, such as a headless service of Kubernetes. */
async function everyAddressOf({ address, url }: Node): Promise<Node[]> {
  const found = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => {
    throw new UsageError(`${url.hostname} has no address.`);
  });
  return found.map(({ address: ip }) => ({ address: `${address} (${ip})`, url, ip }));
}

async function askNode(node: Node, host: string, requests: readonly NodeRequest[]): Promise<NodeAnswer> {
  const { address } = node;
  let last: NodeAnswer = { address, error: 'was not asked' };
  for (const request of requests) {
    last = await askOnce(node, host, request);
    if (last.error !== undefined) return last;
  }
  return last;
}

async function askOnce(node: Node, host: string, { path, body }: NodeRequest): Promise<NodeAnswer> {
  const { address } = node;
  try {
    const { status, text } = await send(node, { path, host, body });
    const answered = JSON.parse(text) as NodeState & { errors?: string[] };
    if (status === 200) return { address, state: answered };
    const [error = `The server answered ${status}`] = answered.errors ?? [];
    return { address, error: `${error}.` };
  } catch {
    return { address, error: `No server answers at ${address}.` };
  }
}

const patienceMs = 10_000;

/** A server accepts requests for the host of the issuer only, whatever its own address is. */
function send(
  { url: base, ip }: Node,
  { path, host, body }: NodeRequest & { host: string },
): Promise<{ status: number; text: string }> {
  const url = new URL(`/v1/${path}`, base);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const content = body && JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { host, ...(content && { 'content-length': String(Buffer.byteLength(content)) }) };
    const method = content ? 'PUT' : 'GET';
    const options = { method, headers, timeout: patienceMs, ...(ip && { lookup: always(ip) }) };
    const sent = request(url, options, (response) => {
      readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('timeout')));
    sent.on('error', reject);
    sent.end(content);
  });
}

/** Connects to one of the servers that a name resolves to; its certificate is that of the name. */
function always(ip: string): LookupFunction {
  const family = ip.includes(':') ? 6 : 4;
  return (_, { all }, callback) => (all ? callback(null, [{ address: ip, family }]) : callback(null, ip, family));
}

function wordsOfNode({ initialized, sealed, t, progress }: NodeState): string {
  if (!initialized) return 'not initialized';
  return sealed ? `sealed, ${progress} of ${t} shares entered` : 'unsealed';
}
