import type { z } from 'zod';
import type { CreatedKeyView, KeyView, RotatedKeyView, UsageView } from '../../../domain/api-keys/index.ts';
import type { RequestContext } from '../records/actions.ts';
import type { Fact, Option } from '../records/page-shapes.ts';

export type Key = z.output<typeof KeyView>;
export type CreatedKey = z.output<typeof CreatedKeyView>;
export type RotatedKey = z.output<typeof RotatedKeyView>;

/** What can be done with a key that there is. */
export type KeyVerb = 'change' | 'rotate' | 'disable' | 'enable' | 'revoke';

/** The doors to keys: everybody's through the admin API, or a person's own. What was typed is checked behind them. */
export type KeyOperations = {
  get: (id: string) => Promise<Key>;
  usage: (id: string) => Promise<z.output<typeof UsageView>>;
  mint: (input: Record<string, unknown>) => Promise<CreatedKey>;
  change: (id: string, patch: Record<string, unknown>, ifVersion: number | undefined) => Promise<unknown>;
  rotate: (id: string, input: Record<string, unknown>) => Promise<RotatedKey>;
} & Record<'disable' | 'enable' | 'revoke', (id: string) => Promise<unknown>>;

/** A part of the house with pages about keys. */
export type KeyContext = RequestContext & {
  keys: KeyOperations;
  crumb: { text: string; href: string };
  pathOf: (id: string) => string;
  may: (verb: KeyVerb) => boolean;
  /** Whose key it is, where that goes without saying: nothing. */
  ownerFacts: (key: Key) => Fact[];
  /** What can be ticked of what a key may have; nothing: everything is typed. */
  held: () => Promise<readonly Option[]>;
  /** Whether the keys are those of the person who looks. */
  isOwn: boolean;
};

/** What of a key may be shown: how the present text starts, and its last four characters. */
export function shortOf({ versions: [present] }: Pick<Key, 'versions'>): string {
  return present ? `${present.start}…${present.last_four}` : '';
}

/** The key that an address names. */
export function getKeyOf({ keys, params: { key_id = '' } }: KeyContext): Promise<Key> {
  return keys.get(key_id);
}
