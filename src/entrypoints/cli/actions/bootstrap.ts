import { type CommandContext, onInstallation } from './command-context.ts';
import { answer } from './output.ts';

type Options = { json?: boolean; clientId: string };

export const bootstrapService = onInstallation(async ({ config, deps, actor }: CommandContext, options: Options) => {
  // Loaded here: the other commands start faster without it.
  const { bootstrap } = await import('../../admin/index.ts');
  const issuer = config.issuer ?? `http://localhost:${config.port}`;
  const made = await bootstrap(deps, actor, { client_id: options.clientId, issuer });
  answer(options, { ...made, token_endpoint: `${issuer}/oauth/token` }, [
    `Created the service "${made.client_id}". Its secret, shown only this once:`,
    '',
    `  ${made.client_secret}`,
    '',
    'A token, and a first request with it:',
    '',
    `  TOKEN=$(curl -s ${issuer}/oauth/token -u '${made.client_id}:${made.client_secret}' \\`,
    `    -d grant_type=client_credentials -d resource=${made.audience} -d 'scope=latchkey:*' | sed 's/.*"access_token":"\\([^"]*\\).*/\\1/')`,
    `  curl -s ${issuer}/admin/v1/clients -H "Authorization: Bearer $TOKEN"`,
  ]);
});
