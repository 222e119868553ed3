/** The token transaction (DESIGN.md §5): a request's writes are recorded, judged and committed together. */
export { accessTokenColumns, accessTokenOwners, type NewAccessToken } from './access-token-columns.ts';
export { type UnitDeps, unitOfWork } from './middleware.ts';
export { RowBounds } from './row-bounds.ts';
export {
  type AcceptedAssertion,
  type AssertionRefusal,
  currentUnit,
  LostRaceError,
  type PresentedKey,
  runDetached,
  runInUnit,
  type TokenSource,
  Unit,
} from './unit.ts';
