import { type Catalogue, en } from '../languages/en.ts';

const daySeconds = 86_400;

/** For how long the previous version is accepted beside the new one, in seconds. */
export const overlapsIn = ({ keys, records }: Catalogue = en) => [
  { value: '0', text: keys.overlaps.none },
  { value: '3600', text: keys.overlaps.hour },
  ...[1, 7, 30].map((count) => ({ value: String(count * daySeconds), text: records.days({ count }) })),
];
