import { exportConfiguration } from '../../../domain/apply/index.ts';
import { say } from './output.ts';
import { onInstallation, type Workplace } from './workplace.ts';

export const exportAll = onInstallation(async ({ deps }: Workplace, { yaml }: { yaml?: boolean }) => {
  const file = await exportConfiguration(deps.db, deps.now());
  say(yaml ? (await import('yaml')).stringify(file).trimEnd() : JSON.stringify(file, undefined, 2));
});
