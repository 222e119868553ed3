import type { ConsentedScopes } from '../../../../db/schema.ts';
import {
  findResourceServer,
  isSensitiveScope,
  overlapping,
  type Permission,
  type ResourceServer,
} from '../../../domain/resource-servers/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { AllowedGroup, AskedGroup } from './page-data.ts';

type Described = { name: string; description: string; sensitive: boolean; optional: boolean; resource: string | null };
type Group = { service_name: string | null; scopes: Described[] };

/** Scopes in words, by service. Those of an API are as they were registered, in any language. */
export async function describeScopes(db: Db, scopes: ConsentedScopes, texts: Catalogue): Promise<AllowedGroup[]> {
  return groups(db, scopes, texts);
}

/** The scopes that a client requests, marked as new, allowed before or optional; `value` names resource and scope. */
export async function describeAsked(
  db: Db,
  { asked, before, texts }: { asked: ConsentedScopes; before: ConsentedScopes | undefined; texts: Catalogue },
): Promise<AskedGroup[]> {
  const described = await groups(db, asked, texts);
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

async function groups(
  db: Db,
  { openid, resources }: ConsentedScopes,
  { consent: { scopes: identityScopes, use } }: Catalogue,
): Promise<Group[]> {
  const identity = openid.map((name) => {
    const description = new Map(Object.entries(identityScopes)).get(name) ?? use({ scope: name });
    return { name, description, sensitive: false, optional: false, resource: null };
  });
  const services = await Promise.all(
    Object.entries(resources).map(async ([identifier, names]) => {
      const server = await findResourceServer(db, identifier);
      return {
        service_name: server?.name ?? identifier,
        scopes: names.map((name) => ofServer({ server, identifier, use }, name)),
      };
    }),
  );
  return [{ service_name: null, scopes: identity }, ...services].filter(({ scopes }) => scopes.length > 0);
}

type Service = { server: ResourceServer | undefined; identifier: string; use: Catalogue['consent']['use'] };

function ofServer(service: Service, name: string): Described {
  const { server, identifier, use } = service;
  const permission = server?.permissions.find((each) => each.name === name);
  if (!permission || name.includes('*')) return wildcard(service, { name, permission });
  return {
    name,
    description: permission.description ?? use({ scope: name }),
    sensitive: permission.is_sensitive,
    optional: permission.is_optional,
    resource: identifier,
  };
}

/** A wildcard includes every scope it overlaps: it is as risky as the riskiest of them, and optional if one of them is. */
function wildcard(
  { server, identifier, use }: Service,
  { name, permission }: { name: string; permission: Permission | undefined },
): Described {
  const permissions = server?.permissions ?? [];
  const given = overlapping(permissions, name);
  const said = given.map((each) => each.description ?? use({ scope: each.name }));
  return {
    name,
    description: permission?.description ?? (said.length > 0 ? said.join(' · ') : use({ scope: name })),
    sensitive: isSensitiveScope(permissions, name),
    optional: given.some(({ is_optional }) => is_optional),
    resource: identifier,
  };
}
