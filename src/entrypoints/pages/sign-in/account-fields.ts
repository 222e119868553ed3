import type { z } from 'zod';
import { type Problem, validationWords } from '../../../platform/http/index.ts';
import { refusalIn } from '../languages/api-words.ts';
import type { Catalogue } from '../languages/en.ts';

const labels: Record<string, string> = {
  username: 'A username',
  email: 'The e-mail address',
  name: 'The name',
  password: 'A password',
};

type Read<Input> = {
  /** As they were typed, except the passwords. */
  values: { username: string; email: string; name: string };
  /** Undefined: something is wrong. */
  typed: Input | undefined;
  errors: Record<string, string>;
};

/** The fields of a new account, and the errors, by field. */
export function accountFields<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  sent: URLSearchParams,
  texts: Catalogue,
): Read<z.output<z.ZodObject<Shape>>> {
  const text = (name: string) => (sent.get(name) ?? '').trim();
  const values = { username: text('username'), email: text('email'), name: text('name') };
  const password = sent.get('password') ?? '';
  const given = Object.fromEntries(
    Object.entries({ ...values, password }).filter(([name, value]) => name in schema.shape && value !== ''),
  );
  const parsed = schema.safeParse(given, { error: validationWords });
  const errors = parsed.success ? {} : fieldErrors(parsed.error, texts);
  if (password && password !== sent.get('password_repeated')) errors.password_repeated = texts.password.differ;
  return { values, typed: Object.keys(errors).length === 0 ? parsed.data : undefined, errors };
}

function fieldErrors(error: z.ZodError, texts: Catalogue): Record<string, string> {
  const entries = error.issues.map(({ path: [field], code, message }) => {
    const name = String(field);
    const wrong = code === 'invalid_type' ? 'is required' : message;
    return [name, refusalIn(texts, name, `${labels[name] ?? name} ${wrong}.`)];
  });
  return Object.fromEntries(entries);
}

/** A refusal of the domain, by field; undefined: it is not about a field. */
export function refusedFields(error: Problem, texts: Catalogue): Record<string, string> | undefined {
  if (error.type !== 'invalid' && error.type !== 'conflict') return undefined;
  const field = error.type === 'invalid' ? (error.options.pointer?.slice(1) ?? 'form') : 'form';
  return { [field]: refusalIn(texts, field, error.message) };
}
