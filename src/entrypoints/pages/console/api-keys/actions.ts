import { creating } from '../../keys/creating.ts';
import { keyActions } from '../../keys/key-actions.ts';
import type { KeyContext, KeyVerb } from '../../keys/key-context.ts';
import type * as records from '../../records/actions.ts';
import type { Action } from '../actions.ts';
import type { RouteName } from '../admin-client.ts';
import { keyRoutes, withKeys } from './key-context.ts';

/** An action of an administrator on the key of any owner. */
function byAdministrator({ path, describe, perform, summarize }: records.Action<KeyContext>, route: RouteName): Action {
  return {
    path,
    route,
    describe: (context) => describe(withKeys(context)),
    perform: (context, sent) => perform(withKeys(context), sent),
    ...(summarize && { summarize: (context, fields) => summarize(withKeys(context), fields) }),
  };
}

const verbs = Object.keys(keyRoutes) as KeyVerb[];

/** The actions on API keys. */
export const apiKeyActions: Action[] = [
  byAdministrator(creating('/new-api-key'), 'POST /api-keys'),
  ...verbs.map((verb) => {
    const action = keyActions[verb];
    return byAdministrator({ ...action, path: `/api-keys${action.path}` }, keyRoutes[verb]);
  }),
];
