/** Bounds of caches, and what is made once. */

export { once } from './once.ts';

const one = () => 1;

/**
 * Options of an `LRUCache` that holds at most so many entries, and takes their memory as they come. With `max` it takes all of it when it
 * is made: a tenth of a second and 13 MB of every start for the caches of one server.
 */
export const atMostEntries = (entries: number) => ({ maxSize: entries, sizeCalculation: one });
