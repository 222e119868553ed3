import { permissionFor, type SecretRights, type SecretVerb, secretRightsOf } from '../../../../domain/secrets/index.ts';
import { forbidden } from '../../../../platform/http/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { ActionLink, Cell } from '../../records/page-shapes.ts';
import type { ActionDescription } from '../actions.ts';
import type { RouteName } from '../admin-client.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';

export type Secret = AdminAnswer<'GET /secrets/{path}'>;
export type Version = Secret['versions'][number];

/** The secret that an address names. */
export function getSecret({ api, params: { path = '' } }: RequestContext): Promise<Secret> {
  return api.call('GET /secrets/{path}', { params: { path } });
}

/** What the user may do with secrets. */
export const rightsOf = ({ deps, who }: RequestContext): Promise<SecretRights> => secretRightsOf(deps, who.actor);

/**
 * A secret, with the common data of its action pages.
 *
 * @param verbs what the action does with the secret
 * @throws Problem 403 that names the missing permission
 */
export async function frame(
  context: RequestContext,
  ...verbs: SecretVerb[]
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { secret: Secret }> {
  const { path = '' } = context.params;
  const rights = await rightsOf(context);
  for (const verb of verbs) if (!rights.may(verb, path)) throw missing(permissionFor(verb, path));
  const secret = await getSecret(context);
  return { secret, crumb: context.crumb, name: secret.path, back: secretPath(secret.path) };
}

/** @throws Problem 403: there is no secret with which the user may do this */
export async function mustBeAllowedAnywhere(context: RequestContext, verb: SecretVerb): Promise<void> {
  const permission = permissionFor(verb, '*');
  if (!(await rightsOf(context)).mayAnywhere(verb))
    throw forbidden(permission, `This needs a permission such as "${permission}".`);
}

const missing = (permission: string) => forbidden(permission, `This needs "${permission}".`);

/** A link to an action, with what it does with a secret. */
export type SecretLink = ActionLink & { route: RouteName; verbs: readonly SecretVerb[] };

/** Links to the actions that the user may perform on a secret. */
export function allowedLinks(
  context: RequestContext,
  { rights, path }: { rights: SecretRights; path: string },
  links: readonly SecretLink[],
): SecretLink[] {
  return allowedActions(context, links).filter(({ verbs }) => verbs.every((verb) => rights.may(verb, path)));
}

const stateWords = { live: 'Active', deleted: 'Deleted', expired: 'Expired', destroyed: 'Destroyed' } as const;

/** The state of a version, as a badge. */
export function stateCell({ state, number }: Version, current: number): Cell {
  if (state === 'destroyed') return cell.bad('Destroyed');
  if (state !== 'live') return cell.warn(stateWords[state]);
  return number === current ? cell.good('Current') : cell.quiet('Previous');
}

/** Whether a secret can be read, as a badge. */
export function readableCell({ current_state, location }: Pick<Secret, 'current_state' | 'location'>): Cell {
  if (current_state === 'live') return cell.good('Active');
  if (current_state) return cell.warn('Not readable');
  return cell.quiet(location === null ? 'No value' : 'Kept elsewhere');
}

/** The current version of a secret in a list. */
export function currentCell({
  current_version,
  current_state,
  location,
}: Pick<Secret, 'current_version' | 'current_state' | 'location'>): Cell {
  const name = `v${current_version}`;
  if (current_state === 'live') return cell.text(name);
  if (current_state) return cell.warn(`${name} ${stateWords[current_state].toLowerCase()}`);
  return cell.quiet(location === null ? 'No value' : 'Kept elsewhere');
}

/** A secret that the user can reveal or roll back to has such a version. */
export const liveVersions = ({ versions }: Secret): Version[] => versions.filter(({ state }) => state === 'live');
