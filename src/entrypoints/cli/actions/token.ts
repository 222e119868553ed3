import { revokeToken } from '../../../domain/tokens/index.ts';
import { invalid } from '../../../platform/http/index.ts';
import { readSecret } from './input.ts';
import { answer } from './output.ts';
import { onInstallation, type Workplace } from './workplace.ts';

export const revoke = onInstallation(
  async ({ deps, actor }: Workplace, argument: string | undefined, options: { json?: boolean }) => {
    const value = argument ?? (await readSecret('Token: '));
    if (!value) throw invalid('/token', 'Give the token on standard input.');
    const { kind, client_id } = await revokeToken(deps, actor, value.trim());
    answer(options, { revoked: kind, client_id }, [
      `Revoked ${kind === 'access_token' ? 'an access token' : 'a refresh token and its family'} of ${client_id}.`,
    ]);
  },
  { token: '<token>' },
);
