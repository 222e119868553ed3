import type Router from '@koa/router';
import { listRoleAssignments } from '../../../domain/access/index.ts';
import type { PagesDeps } from '../pages.ts';
import { actRoutes } from './actions.ts';
import { apiKeyActs } from './api-keys/actions.ts';
import { apiKeyList, showKey } from './api-keys/list.ts';
import { auditLog } from './audit-log/list.ts';
import { clientActs } from './clients/actions.ts';
import { clientList, showClient } from './clients/detail.ts';
import { consentActs, consentList, grantList, showConsent, showGrant } from './consents/detail.ts';
import { listRoutes } from './lists.ts';
import { administered, type Place, showInConsole } from './request-context.ts';
import { resourceServerActs, resourceServerList, showResourceServer } from './resource-servers/detail.ts';
import { apiForms } from './resource-servers/forms.ts';
import { roleActs } from './roles/actions.ts';
import { roleList, showRole } from './roles/detail.ts';
import { rotating, signingKeyList } from './signing-keys/list.ts';
import { peopleActs } from './users/actions.ts';
import { peopleList, showPerson } from './users/detail.ts';

const lists = [clientList, resourceServerList, peopleList, roleList, consentList, grantList, signingKeyList, auditLog];

const details: Record<string, (place: Place) => Promise<void>> = {
  '/clients/:client_id': showClient,
  '/apis/:identifier': showResourceServer,
  '/api-keys/:key_id': showKey,
  '/people/:subject': showPerson,
  '/roles/:role': showRole,
  '/consents/:consent_id': showConsent,
  '/grants/:grant_id': showGrant,
};

/** What administrators see and do in a browser: as themselves, through the routes of the admin API. */
export function consoleRoutes(router: Router, deps: PagesDeps): void {
  router.get('/console', administered(deps, showHome));
  listRoutes(router, deps, [...lists, apiKeyList(deps.config.apiKeyEnvironments)]);
  actRoutes(router, deps, [
    ...clientActs,
    ...apiForms,
    ...resourceServerActs,
    ...apiKeyActs,
    ...peopleActs,
    ...roleActs,
    ...consentActs,
    rotating,
  ]);
  for (const [path, handle] of Object.entries(details)) router.get(`/console${path}`, administered(deps, handle));
}

async function showHome(place: Place): Promise<void> {
  const { user } = place.who;
  const roles = await listRoleAssignments(place.deps.db, user.id);
  showInConsole(place, 'console-home', { name: user.name ?? user.username, roles });
}
