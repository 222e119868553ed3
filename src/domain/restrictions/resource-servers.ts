import { z } from 'zod';
import { listForm, restriction } from './restriction.ts';

/** The APIs that a key is valid for; a request must then name its API. */
export const resourceServers = restriction({
  schema: z
    .array(z.string().min(1).max(512))
    .min(1)
    .max(100)
    .meta({ description: 'identifiers of the APIs it can be used for' }),
  refusal: { code: 'resource_not_allowed', status: 403, tokenError: { error: 'invalid_target' } },
  form: listForm(
    {
      name: 'resource_servers',
      label: { en: 'Allowed APIs', de: 'Erlaubte APIs' },
      hint: {
        en: 'Select none to allow every API that its permissions are for.',
        de: 'Wählen Sie keine aus, um jede API zu erlauben, für die der Schlüssel Berechtigungen hat.',
      },
      input: 'apis',
      typedHint: {
        en: 'One identifier per line. Empty: every API that its permissions are for.',
        de: 'Eine Kennung pro Zeile. Leer: jede API, für die der Schlüssel Berechtigungen hat.',
      },
      refused: { de: 'Geben Sie pro Zeile die Kennung einer API ein.' },
    },
    { position: 4 },
  ),
  compile: (written) => {
    const allowed = new Set(written);
    return {
      check: ({ resource }) => {
        if (resource !== undefined && allowed.has(resource)) return undefined;
        const where = resource === undefined ? 'The request does not say for which API it is' : `It is for ${resource}`;
        return `${where}; the key is for ${written.join(', ')} only.`;
      },
    };
  },
  contains: (written, other) => other.every((identifier) => written.includes(identifier)),
  narrow: (written, { resource, pattern }) => {
    if (resource === null) return written.map((server) => ({ resource: server, pattern }));
    return written.includes(resource) ? [{ resource, pattern }] : [];
  },
  explain: {
    en: (written) => `only at ${written.join(', ')}`,
    de: (written) => `nur bei ${written.join(', ')}`,
  },
});
