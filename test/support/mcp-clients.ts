/** The client authentication of an app's library at the token endpoint. */
type Authentication = 'basic' | 'post' | 'none' | 'empty secret';

/** The registrations and requests of MCP clients, read from their sources. */
export type McpClientRequests = {
  name: string;
  /** Its published document, or its registration. */
  by: 'document' | 'registration';
  described: Record<string, unknown>;
  redirect_uri: string;
  /** Parameters that it adds to authorization requests; without `resource`, it never names the API. */
  asks: Record<string, string>;
  authentication?: Authentication;
  /** Parameters that it adds to the requests for tokens. */
  redeems?: Record<string, string>;
  refreshes?: Record<string, string>;
  /** The scope of its tokens. */
  scope: string;
  hasRefreshToken?: boolean;
};

export const notesApi = 'https://notes.example/mcp';

const codes = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
const publicly = { ...codes, token_endpoint_auth_method: 'none' };
const named = { resource: notesApi };
/** The scopes in the server's metadata, which some clients request if the API's challenge names no scope. */
const published = 'openid offline_access profile email groups';
const all = 'notes:read notes:write notes:delete';
const open = 'notes:read notes:write';

export const mcpClients: McpClientRequests[] = [
  {
    name: 'Visual Studio Code',
    by: 'registration',
    described: {
      ...publicly,
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      scope: 'notes:read',
      application_type: 'native',
    },
    redirect_uri: 'http://127.0.0.1:51234/',
    asks: { ...named, scope: 'notes:read' },
    redeems: named,
    refreshes: named,
    scope: 'notes:read',
  },
  {
    name: 'Cursor',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
    },
    redirect_uri: 'http://localhost:8787/callback',
    asks: named,
    redeems: named,
    scope: 'notes:read',
  },
  {
    name: 'Cline',
    by: 'registration',
    described: { ...publicly, redirect_uris: ['vscode://saoudrizwan.claude-dev/mcp-auth/callback/5f2c'] },
    redirect_uri: 'vscode://saoudrizwan.claude-dev/mcp-auth/callback/5f2c',
    asks: { ...named, scope: 'notes:read offline_access', prompt: 'consent' },
    redeems: named,
    scope: 'notes:read offline_access',
  },
  {
    name: 'Gemini CLI',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      scope: '',
    },
    redirect_uri: 'http://localhost:7777/oauth/callback',
    asks: { ...named, audience: notesApi, scope: open },
    redeems: { ...named, audience: notesApi },
    refreshes: { ...named, audience: notesApi, scope: open },
    scope: open,
  },
  {
    name: 'Codex, where the API names no scope',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'Codex',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:37819/callback/zHu_pcZxCCTJ'],
      scope: published,
    },
    redirect_uri: 'http://127.0.0.1:37819/callback/zHu_pcZxCCTJ',
    asks: { ...named, scope: published },
    redeems: named,
    refreshes: named,
    scope: 'openid notes:read',
  },
  {
    name: 'OpenCode',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'OpenCode',
      client_uri: 'https://opencode.ai',
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
    },
    redirect_uri: 'http://127.0.0.1:19876/mcp/oauth/callback',
    asks: { ...named, scope: open },
    authentication: 'empty secret',
    redeems: named,
    scope: open,
  },
  {
    name: 'MCP Inspector',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      redirect_uris: ['http://localhost:6274/oauth/callback'],
      scope: '',
      application_type: 'native',
    },
    redirect_uri: 'http://localhost:6274/oauth/callback',
    asks: { resource: `${notesApi}/`, scope: 'notes:read' },
    redeems: { resource: `${notesApi}/` },
    refreshes: { resource: `${notesApi}/` },
    scope: 'notes:read',
  },
  {
    name: 'LibreChat, which registers with all scopes that the API publishes',
    by: 'registration',
    described: {
      ...codes,
      client_name: 'LibreChat MCP Client',
      redirect_uris: ['https://chat.example/api/mcp/notes/oauth/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: all,
    },
    redirect_uri: 'https://chat.example/api/mcp/notes/oauth/callback',
    asks: { ...named, scope: all },
    authentication: 'basic',
    redeems: named,
    scope: open,
  },
  {
    name: 'Open WebUI',
    by: 'registration',
    described: {
      ...codes,
      client_name: 'Open WebUI',
      redirect_uris: ['https://webui.example/oauth/clients/mcp:notes/callback'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: published,
    },
    redirect_uri: 'https://webui.example/oauth/clients/mcp:notes/callback',
    asks: { ...named, scope: published },
    authentication: 'post',
    redeems: named,
    scope: 'openid notes:read',
  },
  {
    name: 'n8n, which names no API',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'n8n',
      client_uri: 'https://n8n.io/',
      redirect_uris: ['https://oauth.n8n.cloud/oauth2/callback'],
      scope: published,
    },
    redirect_uri: 'https://oauth.n8n.cloud/oauth2/callback',
    asks: { scope: published },
    scope: 'openid notes:read',
  },
  {
    name: 'mcp-go, which names no API',
    by: 'registration',
    described: {
      ...publicly,
      client_name: 'mcp-go-client',
      redirect_uris: ['http://localhost:8085/oauth/callback'],
      scope: 'notes:read',
    },
    redirect_uri: 'http://localhost:8085/oauth/callback',
    asks: { scope: 'notes:read' },
    scope: 'notes:read',
  },
  {
    name: 'FastMCP, whose method is left to the server',
    by: 'registration',
    described: {
      ...codes,
      client_name: 'FastMCP Client',
      redirect_uris: ['http://localhost:50123/callback'],
      scope: '',
    },
    redirect_uri: 'http://localhost:50123/callback',
    asks: named,
    authentication: 'basic',
    redeems: named,
    refreshes: named,
    scope: 'notes:read',
  },
  {
    name: 'Claude, by registration',
    by: 'registration',
    described: {
      ...codes,
      client_name: 'Claude',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'notes:read',
    },
    redirect_uri: 'https://claude.ai/api/mcp/auth_callback',
    asks: { ...named, scope: 'notes:read' },
    authentication: 'post',
    redeems: named,
    scope: 'notes:read',
  },
  {
    name: 'Claude',
    by: 'document',
    described: {
      ...publicly,
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      client_name: 'Claude',
      client_uri: 'https://claude.ai',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
    },
    redirect_uri: 'https://claude.ai/api/mcp/auth_callback',
    asks: { ...named, scope: open },
    redeems: named,
    scope: open,
  },
  {
    name: 'Goose',
    by: 'document',
    described: { ...publicly, client_name: 'goose', redirect_uris: ['http://127.0.0.1/oauth_callback'] },
    redirect_uri: 'http://127.0.0.1:61234/oauth_callback',
    asks: { ...named, scope: 'notes:read offline_access' },
    redeems: named,
    scope: 'notes:read',
  },
  {
    name: 'Zed, which uses no refresh tokens',
    by: 'document',
    described: {
      client_name: 'Zed',
      client_uri: 'https://zed.dev',
      logo_uri: 'https://zed.dev/img/logo.png',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp:*',
    },
    redirect_uri: 'http://127.0.0.1:49213/callback',
    asks: { ...named, scope: 'notes:read' },
    redeems: named,
    scope: 'notes:read',
    hasRefreshToken: false,
  },
];
