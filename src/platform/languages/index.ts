/** The languages of pages, mail and error messages. */
import { z } from 'zod';

export const Language = z.enum(['en', 'de']);
export type Language = z.output<typeof Language>;
