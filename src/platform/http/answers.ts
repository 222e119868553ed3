import { z } from 'zod';

type Path = readonly PropertyKey[];
type Read<Answer> = z.ZodSafeParseResult<Answer>;

const memberAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((parent, name) => (parent as Record<PropertyKey, unknown>)[name], value);

function put(value: unknown, path: Path, member: unknown): void {
  const parent = memberAt(value, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  Object.assign(parent, { [path.at(-1) ?? '']: member });
}

/**
 * Encodes a response for the wire, as its schema describes it.
 *
 * @throws ZodError: the value does not match the schema
 */
export const encodeAnswer = <Schema extends z.ZodType>(schema: Schema, result: unknown): z.input<Schema> =>
  withNewerChoices(result, (value) => z.safeEncode(schema, value as z.output<Schema>));

/**
 * Decodes a response from the wire, as its schema describes it.
 *
 * @throws ZodError: the response does not match the schema
 */
export const decodeAnswer = <Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> =>
  withNewerChoices(answer, (value) => z.safeDecode(schema, value as z.input<Schema>));

/**
 * While nodes of two versions run, a newer one may have stored a value that this version does not know, such as a new kind of trust: it is
 * passed on unchanged.
 */
function withNewerChoices<Answer>(value: unknown, read: (value: unknown) => Read<Answer>): Answer {
  const first = read(value);
  if (first.success) return first.data;
  const { issues } = first.error;
  const choices = issues.flatMap((issue) =>
    issue.code === 'invalid_value' && issue.path.length > 0
      ? [{ path: issue.path, newer: memberAt(value, issue.path), known: issue.values[0] }]
      : [],
  );
  if (choices.length < issues.length || choices.some(({ newer }) => typeof newer !== 'string')) throw first.error;
  for (const { path, known } of choices) put(value, path, known);
  try {
    const second = read(value);
    if (!second.success) throw second.error;
    for (const { path, newer } of choices) put(second.data, path, newer);
    return second.data;
  } finally {
    for (const { path, newer } of choices) put(value, path, newer);
  }
}
