import { Command } from 'commander';
import { revokeToken } from '../../domain/tokens/index.ts';
import { invalid } from '../../platform/http/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { readSecret } from './input.ts';
import { answer } from './output.ts';

/** `latchkey token …` */
export function tokenCommand(): Command {
  return new Command('token').description('access and refresh tokens').addCommand(
    command('revoke', 'end a token by its value; a refresh token ends with all its family')
      .argument('[token]', 'better left out and given on standard input: other processes can read a command line')
      .action(onInstallation(revoke, { token: '<token>' })),
  );
}

async function revoke(
  { deps, actor }: Workplace,
  argument: string | undefined,
  options: { json?: boolean },
): Promise<void> {
  const value = argument ?? (await readSecret('Token: '));
  if (!value) throw invalid('/token', 'Give the token on standard input.');
  const { kind, client_id } = await revokeToken(deps, actor, value.trim());
  answer(options, { revoked: kind, client_id }, [
    `Revoked ${kind === 'access_token' ? 'an access token' : 'a refresh token and its family'} of ${client_id}.`,
  ]);
}
