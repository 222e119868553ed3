/** Lists in pages: their orders, cursors, totals, and the search for words. */

export { type ListOrders, type Order, SortBy } from './orders.ts';
export {
  type ListRequest,
  pageOfQuery,
  readPage,
  readSearchPage,
  type SearchEnd,
  type Slice,
  searchedIn,
  unsearched,
} from './pages.ts';
export { hasWords, rowsWithWords, type Searched } from './words.ts';
