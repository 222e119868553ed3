import { exportConfiguration } from '../../../domain/apply/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { say } from './output.ts';

export const exportAll = onInstallation(async ({ deps }: CommandContext, { yaml }: { yaml?: boolean }) => {
  const file = await exportConfiguration(deps.db, deps.now());
  say(yaml ? (await import('yaml')).stringify(file).trimEnd() : JSON.stringify(file, undefined, 2));
});
