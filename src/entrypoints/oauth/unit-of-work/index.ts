/** The token transaction (DESIGN.md §5): a request's writes are recorded, judged and committed together. */
export { Committer } from '../token-endpoint/committer.ts';
export { type UnitDeps, unitOfWork } from './middleware.ts';
export { RowBounds } from './row-bounds.ts';
export {
  currentUnit,
  LostRaceError,
  type NewAccessToken,
  type PresentedKey,
  runDetached,
  type TokenSource,
  Unit,
} from './unit.ts';
