import { readSecret } from './input.ts';
import { answer } from './output.ts';
import { keepProfile, type RemoteOptions, remoteFrom } from './remote-server.ts';
import { action } from './workplace.ts';

export const callApi = action(async (words: string[], options: RemoteOptions) => {
  // Loaded here: the other commands start faster without every room.
  const { remoteCommands } = await import('./remote.ts');
  await remoteCommands(remoteFrom(options)).parseAsync(words.length > 0 ? words : ['--help'], { from: 'user' });
});

type LoginOptions = { json?: boolean; url: string; clientId: string; scope?: string; profile: string };

export const login = action(async (options: LoginOptions) => {
  const { url, clientId: client_id, scope, profile } = options;
  const client_secret = (await readSecret('Client secret: ')) ?? '';
  await keepProfile(profile, { url: url.replace(/\/$/, ''), client_id, client_secret, ...(scope && { scope }) });
  answer(options, { url, client_id, profile }, [`Logged in at ${url} as ${client_id}. Kept in ${profile}.`]);
});
