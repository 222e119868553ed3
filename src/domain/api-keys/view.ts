import { explainRestrictions } from '../restrictions/index.ts';
import { stateOf } from './expiry.ts';
import type { ApiKey } from './store.ts';

/** A key as it is shown: with its current state and its restrictions in words, never with its value. */
export function viewOf({ now }: { now: () => Date }, key: ApiKey) {
  const { id, name, description, environment, owner, owner_kind, owner_id, enabled: _, ...rest } = key;
  return {
    ...rest,
    id,
    name,
    description,
    environment,
    owner: { kind: owner_kind, id: owner_id, name: owner },
    restrictions_in_words: explainRestrictions(key.restrictions),
    state: stateOf(key, now()),
  };
}
