import type { z } from 'zod';
import type { Problem } from '../../../platform/http/index.ts';
import { refusalIn } from '../languages/api-words.ts';
import type { Catalogue } from '../languages/en.ts';

const labels: Record<string, string> = {
  username: 'A username',
  email: 'The e-mail address',
  name: 'The name',
  password: 'A password',
};

/** What is wrong with the fields of a new account, by field. */
export function fieldErrors(error: z.ZodError, texts: Catalogue): Record<string, string> {
  const entries = error.issues.map(({ path: [field], code, message }) => {
    const name = String(field);
    const wrong = code === 'invalid_type' ? 'is required' : message;
    return [name, refusalIn(texts, name, `${labels[name] ?? name} ${wrong}.`)];
  });
  return Object.fromEntries(entries);
}

/** What the domain refused, by field; undefined: it is not about a field. */
export function refusedFields(error: Problem, texts: Catalogue): Record<string, string> | undefined {
  if (error.type !== 'invalid' && error.type !== 'conflict') return undefined;
  const field = error.type === 'invalid' ? (error.options.pointer?.slice(1) ?? 'form') : 'form';
  return { [field]: refusalIn(texts, field, error.message) };
}
