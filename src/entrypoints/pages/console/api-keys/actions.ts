import { minting } from '../../keys/forms.ts';
import { keyActs } from '../../keys/key-actions.ts';
import type { KeyPlace, KeyVerb } from '../../keys/key-context.ts';
import type * as acts from '../../records/actions.ts';
import type { Act } from '../actions.ts';
import type { RouteName } from '../admin-client.ts';
import { keyRoutes, section, withKeys } from './list.ts';

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
