import { z } from 'zod';

// Placeholders that a template engine, a shell, Kubernetes or a person should have replaced: ${NAME}, $(NAME), {{ … }}, $NAME, %NAME%, <…>.
const placeholder = /\$\{[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|^\$[A-Za-z_]\w*$|^%\w+%$|^<[^<>]+>$/s;

const references = '{ "env": "NAME" } or { "file": "path" } in a file for "latchkey apply"';

/**
 * A secret that a person or a file provides. A placeholder that was not replaced is refused: anyone who knows the template would know the
 * secret. A reference is refused, too: only the `apply` command resolves it, on its machine.
 */
export const SecretText = z
  .string({
    error: ({ input }) =>
      isReference(input) ? `must be the secret itself: only "latchkey apply" resolves references` : undefined,
  })
  .refine(
    (text) => !placeholder.test(text),
    `is a placeholder that was not replaced: set the secret itself, or ${references}`,
  );

export type SecretReference = { env: string } | { file: string };

/** Whether a value of a configuration file is a reference to a secret, instead of the secret. */
export function isReference(value: unknown): value is SecretReference {
  if (typeof value !== 'object' || value === null) return false;
  const [entry, ...others] = Object.entries(value);
  return entry !== undefined && others.length === 0 && /^(?:env|file)$/.test(entry[0]) && typeof entry[1] === 'string';
}
