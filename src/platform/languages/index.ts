/** Languages: those that pages, mail and refusals are written in. */
import { z } from 'zod';

export const Language = z.enum(['en', 'de']);
export type Language = z.output<typeof Language>;
