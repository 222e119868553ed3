import type { z } from 'zod';
import type { KeyUsesView } from '../../../domain/activity/index.ts';
import type { CreatedKeyView, KeyView, RotatedKeyView, UsageView } from '../../../domain/api-keys/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { RequestContext } from '../records/actions.ts';
import type { Fact, Option, Panel } from '../records/page-shapes.ts';

export type Key = z.output<typeof KeyView>;
export type CreatedKey = z.output<typeof CreatedKeyView>;
export type KeyUses = z.output<typeof KeyUsesView>;
export type RotatedKey = z.output<typeof RotatedKeyView>;

/** The actions on an existing key. */
export type KeyVerb = 'change' | 'rotate' | 'disable' | 'enable' | 'revoke';

/** How pages access keys: those of all owners through the admin API, or the user's own. Inputs are checked there. */
export type KeyOperations = {
  get: (id: string) => Promise<Key>;
  uses: (id: string) => Promise<z.output<typeof KeyUsesView>>;
  usage: (id: string) => Promise<z.output<typeof UsageView>>;
  create: (input: Record<string, unknown>) => Promise<CreatedKey>;
  change: (id: string, patch: Record<string, unknown>, ifVersion: number | undefined) => Promise<unknown>;
  rotate: (id: string, input: Record<string, unknown>) => Promise<RotatedKey>;
} & Record<'disable' | 'enable' | 'revoke', (id: string) => Promise<unknown>>;

/** A part of the pages that shows keys: the console, or a user's account. */
export type KeyContext = RequestContext & {
  /** The language of the pages. */
  texts: Catalogue;
  keys: KeyOperations;
  crumb: { text: string; href: string };
  pathOf: (id: string) => string;
  may: (verb: KeyVerb) => boolean;
  /** The owner, if a page has to name it. */
  ownerFacts: (key: Key) => Fact[];
  /** The permissions that can be selected; none: all are typed. */
  choices: () => Promise<readonly Option[]>;
  roles: () => Promise<readonly Option[]>;
  apis: () => Promise<readonly Option[]>;
  /** Suggestions for the owner's field. */
  owners: () => Promise<{ users: readonly string[]; clients: readonly string[] }>;
  /** The activity of a key. */
  activity: (key: Key) => Promise<Panel[]>;
  /** Whether the keys belong to the signed-in user. */
  isOwn: boolean;
};

/** The visible parts of a key: the beginning of the current version, and its last four characters. */
export function shortOf({ versions: [current] }: Pick<Key, 'versions'>): string {
  return current ? `${current.start}…${current.last_four}` : '';
}

/** The key that an address names. */
export function getKeyOf({ keys, params: { key_id = '' } }: KeyContext): Promise<Key> {
  return keys.get(key_id);
}
