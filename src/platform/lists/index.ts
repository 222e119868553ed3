/** Paged lists: their orders, cursors, totals, and the search for words. */

export { type ListOrders, type Order, SortBy } from './orders.ts';
export {
  countRows,
  type ListRequest,
  pageOfQuery,
  pageOfSearch,
  readPage,
  readSearchPage,
  type SearchEnd,
  type Slice,
  searchedIn,
  unsearched,
  within,
} from './pages.ts';
export { hasWords, isCommon, nextRowsWithWords, rowsWithWords, type Searched } from './words.ts';
