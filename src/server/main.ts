import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Config, environmentVariable } from '../config.ts';
import { hasOwner } from '../domain/access/index.ts';
import { type ApplyDeps, applyConfiguration, readConfigurationFile } from '../domain/apply/index.ts';
import { createSetupLink } from '../domain/users/index.ts';
import { registerOwnApis } from '../entrypoints/admin/index.ts';
import { type Patience, persistently } from '../platform/database/index.ts';
import { IncomingRequest, system } from '../platform/http/index.ts';
import { JobSender } from '../platform/jobs/index.ts';
import { openLog } from '../platform/logging/index.ts';
import { Metrics } from '../platform/metrics/index.ts';
import { openTracing } from '../platform/tracing/index.ts';
import { createApp } from './app.ts';
import { answerClientErrors } from './client-errors.ts';
import { applyDeps } from './compose/apply.ts';
import { openDemo } from './demo.ts';
import { type Installation, openInstallation, StartError } from './installation.ts';
import { watchListingConnections } from './list-verb.ts';
import { closeUnreadRequestsInStages } from './staged-close.ts';
import { readVersion } from './version.ts';

export type RunningServer = { issuer: string; metrics: Metrics; close: () => Promise<void> };

const headersTimeoutMs = 8000;
const requestTimeoutMs = 9000;
const drainMs = 10_000;

export type StartOptions = {
  /** Prints the greeting for the operator; undefined: no greeting. */
  say?: ((lines: string) => void) | undefined;
  /** Prints one line that is no part of the greeting. */
  note: (line: string) => void;
  /** A server that starts beside running ones accepts requests only once it can serve them, too. */
  listens: 'at once' | 'when ready';
  /** Aborts a start that waits for the database. */
  signal: AbortSignal;
};

/**
 * Starts the one process: configuration → database → services → HTTP.
 *
 * @throws StartError and others with one sentence for the operator; the reason of the signal
 */
export async function startServer(
  config: Config,
  { say, note, listens, signal }: StartOptions,
): Promise<RunningServer> {
  const inFlight = new Set<ServerResponse>();
  const handler: Handler = { answer: starting, issuer: config.issuer };
  const server = openServer(handler, config);
  // Listen first: a taken port is reported before anything is opened, liveness probes succeed while the server waits for the
  // database or migrates, and with PORT=0 the issuer is known only now.
  if (listens === 'at once') await listen(server, config);
  let installation: Installation | undefined;
  let app: Awaited<ReturnType<typeof openApp>> | undefined;
  try {
    installation = await openInstallation(config, { report: note, signal });
    const patience = { seconds: config.databaseWaitSeconds, signal };
    app = await openApp({ config, address: addressOf(server, config), installation, inFlight, patience });
    handler.answer = app.answer;
    handler.issuer = app.issuer;
    if (listens === 'when ready') await listen(server, config);
    if (say) say(await persistently(patience, greeting(app, installation)));
    const opened = { app, installation };
    return {
      issuer: app.issuer,
      metrics: app.metrics,
      close: async () => {
        await drain(server, inFlight);
        await opened.app.close();
        await opened.installation.close();
      },
    };
  } catch (error) {
    await drain(server, inFlight);
    await app?.close();
    await installation?.close();
    throw error;
  }
}

/** The current handler of requests, and the issuer; undefined until it is known. */
type Handler = { answer: RequestListener; issuer: string | undefined };

function openServer(handler: Handler, { maxHeaderBytes }: Pick<Config, 'maxHeaderBytes'>): Server {
  const options = {
    IncomingMessage: IncomingRequest,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: maxHeaderBytes,
    // Saves a tenth of the cost of a short request that has no body.
    optimizeEmptyRequests: true,
  };
  const server = createServer(options, (request, response) => {
    if (!server.listening) response.shouldKeepAlive = false;
    handler.answer(request, response);
  });
  closeUnreadRequestsInStages(server);
  watchListingConnections(server);
  answerClientErrors(server, { maxHeaderBytes, issuer: () => handler.issuer });
  return server;
}

type AppInputs = {
  config: Config;
  address: string;
  installation: Installation;
  inFlight: Set<ServerResponse>;
  patience: Patience;
};

/** Applies the settings to the installation, and composes the app that serves it. */
async function openApp({ config, address, installation, inFlight, patience }: AppInputs) {
  const issuer = config.issuer ?? address;
  const version = readVersion();
  const { changes, database, now, rootKey } = installation;
  const sender = new JobSender(installation.databaseUrl, config.logLevel);
  const apply = applyDeps(config, installation, sender);
  const demo = await persistently(patience, async () => {
    if (config.applyFile) await applyAtStart(apply, config.applyFile);
    await registerOwnApis({ db: database.db, now }, issuer);
    return openDemo({ config, issuer, rootKey, apply });
  }).finally(() => sender.close());
  changes.start();
  const metrics = new Metrics();
  const tracing = config.traceEndpoint && (await openTracing({ endpoint: config.traceEndpoint, version }));
  const log = openLog(config.logLevel);
  const app = await createApp({ config, issuer, version, installation, log, metrics, patience, inFlight, demo });
  return {
    ...{ address, issuer, metrics, version, hasDemo: demo !== undefined },
    answer: app.answer,
    close: async () => {
      await app.close();
      if (tracing) await tracing.close();
    },
  };
}

/** Answers before the database is open: the process is live, but not ready. */
const starting: RequestListener = ({ url = '' }, response) => {
  const [path = ''] = url.split('?');
  const headers = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' };
  if (path === '/healthz') response.writeHead(200, headers).end('{"status":"ok"}');
  else response.writeHead(503, { ...headers, 'Retry-After': '2' }).end('{"status":"not ready","reason":"starting"}');
};

/** The address that it listens on, or will, for display: a loopback or wildcard address as `localhost`. */
function addressOf(server: Server, { host, port: chosen }: Config): string {
  const { port } = (server.address() as AddressInfo | null) ?? { port: chosen };
  const isHere = ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host);
  const name = host.includes(':') ? `[${host}]` : host;
  return new URL(`http://${isHere ? 'localhost' : name}:${port}`).origin;
}

function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? `port ${port} is in use` : `cannot listen on ${host}:${port} (${error.code})`;
      reject(new StartError(`${reason[0]?.toUpperCase()}${reason.slice(1)}; set PORT or HOST to another one.`));
    });
    server.listen(port, host, resolve);
  });
}

/** Omitted members do not change. A missing secret is refused, because a generated one would be shown in the log. */
async function applyAtStart(deps: ApplyDeps, path: string): Promise<void> {
  const file = await readConfigurationFile(path, environmentVariable);
  await applyConfiguration(deps, system, file, { missingSecrets: 'refuse' });
}

/**
 * Waits for in-flight requests; their responses ask clients to close the connection (RFC 9112 §9.6). Idle connections are closed at once,
 * and the remaining ones after ten seconds.
 */
async function drain(server: Server, inFlight: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  for (const response of inFlight) response.shouldKeepAlive = false;
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

type Announced = { issuer: string; address: string; version: string; hasDemo: boolean };

/** The lines for the operator, in one text, so that a program that reads the output gets them completely. */
const greeting =
  ({ issuer, address, version, hasDemo }: Announced, { database, databaseName, now }: Installation) =>
  async (): Promise<string> => {
    const lines = [
      `Latchkey ${version} is ready at ${issuer}${issuer === address ? '' : ` (listening on ${address})`}`,
      `  Data:  ${databaseName}`,
    ];
    if (!(await hasOwner(database.db))) {
      const secret = await createSetupLink({ db: database.db, now });
      lines.push(`  Setup: ${issuer}/setup/${secret} (works once, for a day; another: latchkey setup-link)`);
    }
    if (hasDemo) lines.push(`  Demo:  ${issuer}/demo`);
    return lines.join('\n');
  };
