/** Search: one text, records of every kind that the caller may read. */
export { searchRoutes } from './routes.ts';
export { type FoundKind, search } from './search.ts';
