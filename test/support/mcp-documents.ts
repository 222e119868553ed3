/** Metadata documents that these apps publish, and their redirect URIs. */
export const publishedDocuments: Record<string, { path: string; redirectUrl: string; document: object }> = {
  'Claude Code': {
    path: '/oauth/claude-code-client-metadata',
    redirectUrl: 'http://localhost:53127/callback',
    document: {
      client_uri: 'https://claude.ai',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
  },
  'Visual Studio Code': {
    path: '/oauth/client-metadata.json',
    redirectUrl: 'http://127.0.0.1:51234/',
    document: {
      client_uri: 'https://code.visualstudio.com',
      logo_uri: 'https://code.visualstudio.com/assets/branding/code-stable.png',
      redirect_uris: ['http://127.0.0.1/', 'http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      application_type: 'native',
    },
  },
  ChatGPT: {
    path: '/oauth/abc/client.json',
    redirectUrl: 'https://chatgpt.com/connector/oauth/abc',
    document: {
      redirect_uris: ['https://chatgpt.com/connector/oauth/abc'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'RS256',
    },
  },
};
