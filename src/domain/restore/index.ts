/** Restore: after a database was restored from a backup, ends again what was ended since, and reports what else was lost. */
export type { CutDeps } from './cut.ts';
export type { Reapplied, ToDecide } from './reapply.ts';
export { checkRestore, type Gap, planRestoreCheck, type RestoreInput, type RestoreReport } from './restore.ts';
