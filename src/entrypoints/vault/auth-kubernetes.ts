import { decodeJwt } from 'jose';
import type { ClaimCondition, VaultAuthConfig } from '../../../db/schema.ts';
import { VaultError } from './answers.ts';
import { keySetOf, pemsIn } from './auth-keys.ts';
import { type MethodShape, methodRoutes, mustNotSet } from './auth-methods.ts';
import { type Fields, flagIn, textIn, textsIn } from './fields.ts';

/** The default issuer of clusters. */
const usualIssuer = 'https://kubernetes.default.svc.cluster.local';

const kubernetes: MethodShape = {
  method: 'kubernetes',
  configIn,
  shownConfig: ({ config: { shown }, hasToken }) => ({ ...shown, token_reviewer_jwt_set: hasToken }),
  roleIn,
};

/** Service accounts of a cluster. */
export const kubernetesRoutes = methodRoutes(kubernetes);

/** With keys, tokens are verified here; without them, or with a reviewer token, the cluster reviews each. */
function configIn(body: Fields): { config: VaultAuthConfig; token?: string | undefined } {
  const host = textIn(body, 'kubernetes_host');
  if (!host) throw new VaultError(400, 'no host provided');
  if (!/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/.test(host))
    throw new VaultError(400, 'kubernetes_host: write the address of the API server, such as https://10.96.0.1');
  const ca = textIn(body, 'kubernetes_ca_cert')?.trim() || undefined;
  if (ca && !ca.startsWith('-----BEGIN CERTIFICATE-----'))
    throw new VaultError(400, 'kubernetes_ca_cert: write a certificate in PEM');
  const token = textIn(body, 'token_reviewer_jwt')?.trim() || undefined;
  const pems = pemsIn(body, 'pem_keys');
  const jwks = keySetOf(pems, 'pem_keys');
  const issuer = textIn(body, 'issuer') || (token && issuerOf(token)) || usualIssuer;
  const isAsked = token !== undefined || jwks === undefined;
  const shown = {
    ...{ kubernetes_host: host, kubernetes_ca_cert: ca ?? '', pem_keys: pems, issuer: textIn(body, 'issuer') ?? '' },
    disable_iss_validation: flagIn(body, 'disable_iss_validation') ?? true,
    disable_local_ca_jwt: flagIn(body, 'disable_local_ca_jwt') ?? false,
    use_annotations_as_alias_metadata: false,
  };
  mustNotSet(body, ['use_annotations_as_alias_metadata']);
  const review = { url: host, ...(ca !== undefined && { ca }) };
  return { config: { shown, issuer, ...(jwks && { jwks }), ...(isAsked && { token_review: review }) }, token };
}

/** The reviewer belongs to the cluster whose tokens it reviews. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

const nameShape = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const mostValues = 50;
const account = 'system:serviceaccount';

function roleIn(body: Fields) {
  const names = accountsIn(body, 'bound_service_account_names', 'service_account_names');
  const spaces = accountsIn(body, 'bound_service_account_namespaces', 'service_account_namespaces');
  mustNotSet(body, ['bound_service_account_namespace_selector']);
  const conditions = conditionsOf(names, spaces);
  const audience = textIn(body, 'audience') || undefined;
  const alias = textIn(body, 'alias_name_source') ?? 'serviceaccount_uid';
  const warnings =
    audience === undefined
      ? [
          'audience is not set: tokens for the API server of the cluster are accepted. Set it to the address of this server, and project tokens for it.',
        ]
      : [];
  const shown = {
    bound_service_account_names: names,
    bound_service_account_namespaces: spaces,
    bound_service_account_namespace_selector: '',
    ...{ audience: audience ?? '', alias_name_source: alias },
  };
  // Tokens that a cluster issues without an audience are for its own issuer.
  return { shown, warnings, boundsAt: (issuer: string) => ({ conditions, audience: audience ?? issuer }) };
}

/** @throws VaultError 400 */
function accountsIn(body: Fields, member: string, what: string): string[] {
  const given = textsIn(body, member) ?? [];
  if (given.length === 0) throw new VaultError(400, `"${what}" can not be empty`);
  if (given.length > mostValues) throw new VaultError(400, `${member} has at most ${mostValues} names`);
  if (given.includes('*')) return ['*'];
  const wrong = given.find((name) => !nameShape.test(name));
  if (wrong !== undefined)
    throw new VaultError(400, `${member}: "${wrong}" is neither a name nor "*"; parts of names are not supported`);
  return given;
}

/** The required subject of a token: by `sub`, or by other claims of the cluster if there are too many. @throws VaultError 400 */
function conditionsOf(names: readonly string[], spaces: readonly string[]): ClaimCondition[] {
  const [anyName, anySpace] = [names.includes('*'), spaces.includes('*')];
  if (anyName && anySpace)
    throw new VaultError(400, 'service_account_name and service_account_namespace can not both be "*"');
  const [space] = spaces;
  if (anyName && spaces.length === 1) return [{ claim: 'sub', prefix: `${account}:${space}` }];
  const subjects = spaces.flatMap((each) => names.map((name) => `${account}:${each}:${name}`));
  if (!anyName && !anySpace && subjects.length <= mostValues) return [{ claim: 'sub', one_of: subjects }];
  return [
    { claim: 'sub', prefix: account },
    ...(anyName ? [] : [{ claim: '/kubernetes.io/serviceaccount/name', one_of: [...names] }]),
    ...(anySpace ? [] : [{ claim: '/kubernetes.io/namespace', one_of: [...spaces] }]),
  ];
}
