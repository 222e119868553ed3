/** Expiry: deletes expired rows in bounded batches, on one node at a time. */
export { Expiry } from './expiry.ts';
export { removeExpired } from './job.ts';
