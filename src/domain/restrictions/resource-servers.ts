import { z } from 'zod';
import { restriction } from './restriction.ts';

/** At which APIs a key is good; it must be said then for which API a request is. */
export const resourceServers = restriction({
  schema: z
    .array(z.string().min(1).max(512))
    .min(1)
    .max(100)
    .meta({ description: 'identifiers of the APIs it is for' }),
  compile: (written) => {
    const allowed = new Set(written);
    return {
      check: ({ resource }) => {
        if (resource !== undefined && allowed.has(resource)) return undefined;
        const where = resource === undefined ? 'The request does not say for which API it is' : `It is for ${resource}`;
        return { code: 'resource_not_allowed', reason: `${where}; the key is for ${written.join(', ')} only.` };
      },
    };
  },
  contains: (written, other) => other.every((identifier) => written.includes(identifier)),
  narrow: (written, { resource, pattern }) => {
    if (resource === null) return written.map((server) => ({ resource: server, pattern }));
    return written.includes(resource) ? [{ resource, pattern }] : [];
  },
  explain: (written) => `only at ${written.join(', ')}`,
});
