import type { ConsentedScopes } from '../../../../db/schema.ts';
import {
  findResourceServer,
  isSensitiveScope,
  overlapping,
  type Permission,
  type ResourceServer,
} from '../../../domain/resource-servers/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import type { AllowedGroup, AskedGroup } from './page-data.ts';

const identityDescriptions: Record<string, string> = {
  openid: 'Know who you are',
  profile: 'See your name and username',
  email: 'See your e-mail address, and whether it is verified',
  groups: 'See which groups you are in',
  offline_access: 'Keep access when you are away',
};

type Described = { name: string; description: string; sensitive: boolean; optional: boolean; resource: string | null };
type Group = { service_name: string | null; scopes: Described[] };

/** Scopes in the person's words, by service. */
export async function describeScopes(db: Db, scopes: ConsentedScopes): Promise<AllowedGroup[]> {
  return groups(db, scopes);
}

/** What a client asks, with what is new, allowed before, and may be unticked; `value` names resource and scope. */
export async function describeAsked(
  db: Db,
  asked: ConsentedScopes,
  before: ConsentedScopes | undefined,
): Promise<AskedGroup[]> {
  const described = await groups(db, asked);
  return described.map(({ service_name, scopes }) => ({
    service_name,
    scopes: scopes.map(({ name, description, optional, sensitive, resource }) => {
      const known = resource === null ? before?.openid : before?.resources[resource];
      const already_allowed = known?.includes(name) ?? false;
      return {
        name,
        description,
        optional,
        sensitive,
        value: scopeValue(resource, name),
        already_allowed,
        is_new: before !== undefined && !already_allowed,
      };
    }),
  }));
}

/** The form value of a scope's checkbox. */
export function scopeValue(resource: string | null, name: string): string {
  return `${resource ?? ''} ${name}`;
}

async function groups(db: Db, { openid, resources }: ConsentedScopes): Promise<Group[]> {
  const identity = openid.map((name) => described(name, identityDescriptions[name], undefined, null));
  const services = await Promise.all(
    Object.entries(resources).map(async ([identifier, names]) => {
      const server = await findResourceServer(db, identifier);
      return {
        service_name: server?.name ?? identifier,
        scopes: names.map((name) => ofServer(server, identifier, name)),
      };
    }),
  );
  return [{ service_name: null, scopes: identity }, ...services].filter(({ scopes }) => scopes.length > 0);
}

function ofServer(server: ResourceServer | undefined, identifier: string, name: string): Described {
  const permission = server?.permissions.find((each) => each.name === name);
  if (permission && !name.includes('*'))
    return described(name, permission.description ?? undefined, permission, identifier);
  return wildcard(server?.permissions ?? [], identifier, { name, permission });
}

/** A wildcard gives whatever it overlaps: it is as risky as the riskiest of that, and can be left out where one of them could. */
function wildcard(
  permissions: readonly Permission[],
  identifier: string,
  { name, permission }: { name: string; permission: Permission | undefined },
): Described {
  const given = overlapping(permissions, name);
  const said = given.map((each) => each.description ?? `Use "${each.name}"`);
  return {
    name,
    description: permission?.description ?? (said.length > 0 ? said.join(' · ') : `Use "${name}"`),
    sensitive: isSensitiveScope(permissions, name),
    optional: given.some(({ is_optional }) => is_optional),
    resource: identifier,
  };
}

function described(
  name: string,
  description: string | undefined,
  permission: Permission | undefined,
  resource: string | null,
): Described {
  return {
    name,
    description: description ?? `Use "${name}"`,
    sensitive: permission?.is_sensitive ?? false,
    optional: permission?.is_optional ?? false,
    resource,
  };
}
