import { action } from './command-context.ts';
import { readSecret } from './input.ts';
import { answer } from './output.ts';
import { keepProfile, type RemoteOptions, remoteServer } from './remote-server.ts';

export const callApi = action(async (words: string[], options: RemoteOptions) => {
  // Loaded here: the other commands start faster without all routes.
  const [{ adminClient }, { routeCommands }] = await Promise.all([
    import('../../admin/index.ts'),
    import('./route-commands.ts'),
  ]);
  await routeCommands(adminClient(remoteServer(options))).parseAsync(words.length > 0 ? words : ['--help'], {
    from: 'user',
  });
});

type LoginOptions = { json?: boolean; url: string; clientId: string; scope?: string; profile: string };

export const login = action(async (options: LoginOptions) => {
  const { url, clientId: client_id, scope, profile } = options;
  const client_secret = (await readSecret('Client secret: ')) ?? '';
  await keepProfile(profile, { url: url.replace(/\/$/, ''), client_id, client_secret, ...(scope && { scope }) });
  answer(options, { url, client_id, profile }, [`Logged in at ${url} as ${client_id}. Saved in ${profile}.`]);
});
