/** Bounds of caches, and values that are created once. */

export { once } from './once.ts';

const one = () => 1;

/**
 * Options of an `LRUCache` that holds at most so many entries and allocates memory as they arrive. With `max` it allocates all of it at
 * creation: a tenth of a second and 13 MB of every start for the caches of one server.
 */
export const atMostEntries = (entries: number) => ({ maxSize: entries, sizeCalculation: one });
