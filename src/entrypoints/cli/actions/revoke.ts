import { revocationImpact, revoke as revokeBy } from '../../../domain/revocation/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, Moment, parsed } from './input.ts';
import { answer } from './output.ts';

type Options = { json?: boolean; before: string; apiKeys?: boolean; dryRun?: boolean; yes?: boolean };

export const revoke = onInstallation(
  async ({ deps, actor }: CommandContext, options: Options) => {
    const before = parsed(Moment, options.before, '--before');
    const handle = { issued_before: before, include_api_keys: options.apiKeys === true };
    const planned = { before, ...(await revocationImpact(deps, handle)) };
    if (options.dryRun) {
      answer(options, { dry_run: true, ...planned }, [`Would revoke ${listed(planned)}.`]);
      return;
    }
    if (
      !(await isConfirmed(`Revoke ${listed(planned)}, of all users and clients?`, {
        ...options,
        scripts: 'need --yes',
      }))
    ) {
      answer(options, { dry_run: true, ...planned }, ['Nothing changed.']);
      return;
    }
    const { revoked_at: _, ...died } = await revokeBy(deps, actor, handle);
    const ended = { before, ...died };
    answer(options, { dry_run: false, ...ended }, [`Revoked ${listed(ended)}.`]);
  },
  { issued_before: '--before', handle: '--before' },
);

type Ending = { sessions: number; refresh_families: number; access_tokens: number; api_keys: number; before: Date };

function listed({ sessions, refresh_families, access_tokens, api_keys, before }: Ending): string {
  const keys = api_keys > 0 ? `, and ${api_keys} API keys` : '';
  return `${sessions} sessions, ${refresh_families} refresh tokens and ${access_tokens} access tokens${keys}, issued up to ${before.toISOString()}`;
}
