import { revokeToken } from '../../../domain/tokens/index.ts';
import { invalid } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { readSecret } from './input.ts';
import { answer } from './output.ts';

export const revoke = onInstallation(
  async ({ deps, actor }: CommandContext, argument: string | undefined, options: { json?: boolean }) => {
    const value = argument ?? (await readSecret('Token: '));
    if (!value) throw invalid('/token', 'Give the token on standard input.');
    const { kind, client_id } = await revokeToken(deps, actor, value.trim());
    answer(options, { revoked: kind, client_id }, [
      `Revoked ${kind === 'access_token' ? 'an access token' : 'a refresh token and its family'} of ${client_id}.`,
    ]);
  },
  { token: '<token>' },
);
