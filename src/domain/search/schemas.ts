import { z } from 'zod';

export const searchedKinds = [
  'client',
  'resource_server',
  'trust',
  'user',
  'role',
  'api_key',
  'session',
  'consent',
  'grant',
  'webhook',
  'audit_event',
] as const;

export const SearchQuery = z.strictObject({
  q: z.string().min(1).max(100).meta({
    description:
      'words, or their beginnings, of a name, a client_id, an e-mail address or a URL; an id; the beginning or the last four characters of an API key',
  }),
  limit: z.coerce.number().int().min(1).max(20).default(5).meta({ description: 'the maximum number of each type' }),
});

export const SearchView = z.object({
  kind: z.enum(searchedKinds),
  items: z.array(
    z.object({
      id: z.string().meta({ description: 'the id in the paths of its type' }),
      name: z.string(),
      detail: z.string().nullable(),
    }),
  ),
  has_more: z.boolean(),
});
