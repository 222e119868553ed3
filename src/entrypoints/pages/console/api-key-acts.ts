import { minting } from '../keys/forms.ts';
import { keyActs } from '../keys/key-acts.ts';
import type { KeyPlace, KeyVerb } from '../keys/key-place.ts';
import type * as acts from '../records/acts.ts';
import type { Act } from './admin-acts.ts';
import type { RouteName } from './admin-calls.ts';
import { keyRoutes, section, withKeys } from './api-keys.ts';

/** What is done with keys, done by an administrator with anybody's. */
function byAdministrator({ path, ask, perform }: acts.Act<KeyPlace>, does: RouteName): Act {
  return {
    path,
    does,
    ask: async (place) => ({ section, ...(await ask(withKeys(place))) }),
    perform: async (place, sent) => {
      const done = await perform(withKeys(place), sent);
      return 'made' in done ? { made: { section, ...done.made } } : done;
    },
  };
}

const verbs = Object.keys(keyRoutes) as KeyVerb[];

/** What can be done with API keys. */
export const apiKeyActs: Act[] = [
  byAdministrator(minting('/new-api-key'), 'POST /api-keys'),
  ...verbs.map((verb) => {
    const act = keyActs[verb];
    return byAdministrator({ ...act, path: `/api-keys${act.path}` }, keyRoutes[verb]);
  }),
];
