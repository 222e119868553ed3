/** Restore: after a restore from a backup, repeats the revocations since the backup and reports what else was lost. */
export type { CutDeps } from './cut.ts';
export type { Reapplied, ToDecide } from './reapply.ts';
export { checkRestore, type Gap, planRestoreCheck, type RestoreInput, type RestoreReport } from './restore.ts';
