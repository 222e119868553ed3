import { z } from 'zod';
import { revokeGrant } from '../../../domain/consents/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { parsed } from './input.ts';
import { answer } from './output.ts';

export const revoke = onInstallation(
  async ({ deps, actor }: CommandContext, id: string, options: { json?: boolean }) => {
    await revokeGrant(deps, actor, parsed(z.uuid('must be a grant id'), id, '<grant-id>'));
    answer(options, { revoked: 'grant', id }, [`Revoked grant ${id} and everything under it.`]);
  },
);
