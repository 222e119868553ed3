import { z } from 'zod';
import { revokeGrant } from '../../../domain/consents/index.ts';
import { parsed } from './input.ts';
import { answer } from './output.ts';
import { onInstallation, type Workplace } from './workplace.ts';

export const revoke = onInstallation(async ({ deps, actor }: Workplace, id: string, options: { json?: boolean }) => {
  await revokeGrant(deps, actor, parsed(z.uuid('must be a grant id'), id, '<grant-id>'));
  answer(options, { revoked: 'grant', id }, [`Revoked grant ${id} and everything under it.`]);
});
