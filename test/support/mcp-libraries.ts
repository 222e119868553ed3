import * as v2 from '@modelcontextprotocol/client';
import type { PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { McpApp } from './mcp-app.ts';

export type McpSession = {
  connect: () => Promise<unknown>;
  call: (name: string, text?: string) => Promise<string>;
  finish: (callback: URLSearchParams) => Promise<void>;
};
type OpenSession = (address: URL, app: McpApp) => McpSession;

export const textOf = (result: { [member: string]: unknown }) =>
  (result.content as { text: string }[]).map(({ text }) => text).join();
export const clientInfo = { name: 'a test', version: '1.0.0' };

/** How each library connects an app, according to its documentation. */
export const libraries: Record<string, OpenSession> = {
  '@modelcontextprotocol/client 2.4.0': (address, app) => sessionOfV2(address, app, 'legacy'),
  '@modelcontextprotocol/client 2.4.0, as of 2026-07-28': (address, app) => sessionOfV2(address, app, 'auto'),
  '@modelcontextprotocol/sdk 1.32.2': sessionOfV1,
};

export function sessionOfV2(address: URL, authProvider: v2.OAuthClientProvider, mode: 'legacy' | 'auto'): McpSession {
  let transport = new v2.StreamableHTTPClientTransport(address, { authProvider });
  let client = new v2.Client(clientInfo, { versionNegotiation: { mode } });
  return {
    connect: () => client.connect(transport),
    call: async (name, text) => textOf(await client.callTool({ name, arguments: text ? { text } : {} })),
    finish: async (callback) => {
      await transport.finishAuth(callback);
      transport = new v2.StreamableHTTPClientTransport(address, { authProvider });
      client = new v2.Client(clientInfo, { versionNegotiation: { mode } });
      await client.connect(transport);
    },
  };
}

export function sessionOfV1(address: URL, authProvider: PrivateKeyJwtProvider | McpApp): McpSession {
  let transport = new V1Transport(address, { authProvider });
  let client = new V1Client(clientInfo);
  return {
    // Its own type is incompatible with `exactOptionalPropertyTypes`.
    connect: () => client.connect(transport as Parameters<typeof client.connect>[0]),
    call: async (name, text) => textOf(await client.callTool({ name, arguments: text ? { text } : {} })),
    finish: async (callback) => {
      await transport.finishAuth(callback.get('code') ?? '');
      transport = new V1Transport(address, { authProvider });
      client = new V1Client(clientInfo);
      await client.connect(transport as Parameters<typeof client.connect>[0]);
    },
  };
}
