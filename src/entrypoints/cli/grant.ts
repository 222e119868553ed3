import { Command } from 'commander';
import { z } from 'zod';
import { revokeGrant } from '../../domain/consents/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { parsed } from './input.ts';
import { answer } from './output.ts';

/** `latchkey grant …` */
export function grantCommand(): Command {
  return new Command('grant')
    .description('what a client holds for a person in one session')
    .addCommand(
      command('revoke', 'end a grant and every code and token under it; audit events name it as grant_id')
        .argument('<grant-id>')
        .action(onInstallation(revoke)),
    );
}

async function revoke({ deps, actor }: Workplace, id: string, options: { json?: boolean }): Promise<void> {
  await revokeGrant(deps, actor, parsed(z.uuid('must be a grant id'), id, '<grant-id>'));
  answer(options, { revoked: 'grant', id }, [`Revoked grant ${id} and everything under it.`]);
}
