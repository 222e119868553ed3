import { createServer } from 'node:http';
import { createGuard, type Identity, nodeGuard, nodeMetadata } from '@latchkey/guard';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { type AuthInfo, createMcpHandler } from '@modelcontextprotocol/server';
import { initialScopes, notesServer } from './tools.ts';

const { ISSUER = 'http://localhost:3000', PORT = '4200', GUARD_KEY } = process.env;
const address = `http://localhost:${PORT}/mcp`;

const guard = createGuard({
  issuer: ISSUER,
  resource: address,
  key: GUARD_KEY,
  metadata: { scopes_supported: initialScopes, resource_name: 'Notes' },
  onError: console.error,
});
const describes = nodeMetadata(guard);
const authenticate = nodeGuard(guard);
// For a server on this machine: behind a proxy, name your own host (`hostHeaderValidation`).
const hasOurHost = localhostHostValidation();
const hasOurOrigin = localhostOriginValidation();
const answer = toNodeHandler(createMcpHandler(({ authInfo }) => notesServer(authInfo)));

/** The caller in the form of the MCP library. It gets no token: no tool can pass it on to another service. */
function authInfoOf({ subject, client_id = subject, permissions, expires_at }: Identity): AuthInfo {
  return {
    token: '',
    clientId: client_id,
    scopes: [...permissions],
    ...(expires_at && { expiresAt: Math.floor(expires_at.getTime() / 1000) }),
    resource: new URL(address),
    ...(guard.metadata && { resourceMetadataUrl: guard.metadata.url }),
    extra: { subject },
  };
}

const server = createServer(async (request, response) => {
  if (!hasOurHost(request, response) || !hasOurOrigin(request, response) || describes(request, response)) return;
  const { method = 'GET', url = '/' } = request;
  // Some clients use the address with a trailing slash.
  if (new URL(url, address).pathname.replace(/\/$/, '') !== '/mcp') {
    response.writeHead(404).end();
    return;
  }
  const caller = await authenticate(request, response);
  if (caller) await answer(Object.assign(request, { method, url, auth: authInfoOf(caller) }), response);
});
server.listen(Number(PORT), 'localhost', () => console.log(`The MCP server is at ${address}`));
