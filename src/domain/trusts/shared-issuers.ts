import type { TrustInput } from './schemas.ts';

type Condition = TrustInput['conditions'][number];

type SharedIssuer = {
  /** The claims that say whose a token is. */
  claims: readonly string[];
  /** How long a beginning of `sub` must be to name somebody; `repo:` does not. */
  subject?: RegExp;
};

const afterKind = /^[^:]+:[^:/]/;

const sub = (...claims: string[]): SharedIssuer => ({ claims: ['sub', ...claims] });

/**
 * Issuers that serve everybody, by what comes after `https://`. Those that give each customer an issuer of its own, as CircleCI and
 * Bitbucket do, are not among them.
 */
const sharedIssuers: ReadonlyMap<string, SharedIssuer> = new Map([
  [
    'token.actions.githubusercontent.com',
    sub(
      ...['repository', 'repository_id', 'repository_owner', 'repository_owner_id', 'job_workflow_ref'],
      ...['enterprise', 'enterprise_id'],
    ),
  ],
  ['gitlab.com', sub('project_path', 'project_id', 'namespace_path', 'namespace_id')],
  ['accounts.google.com', sub('email', 'hd')],
  ['login.microsoftonline.com/common/v2.0', sub('tid', 'oid')],
  ['login.microsoftonline.com/organizations/v2.0', sub('tid', 'oid')],
  ['login.microsoftonline.com/consumers/v2.0', sub('oid')],
  // The tenant of all personal Microsoft accounts.
  ['login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0', sub('oid')],
  ['sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad', sub('oid')],
  ['agent.buildkite.com', sub('organization_slug', 'organization_id', 'pipeline_id')],
  [
    'app.terraform.io',
    sub(
      ...['terraform_organization_id', 'terraform_organization_name'],
      ...['terraform_project_id', 'terraform_workspace_id'],
    ),
  ],
  ['oidc.vercel.com', sub('owner', 'owner_id', 'project_id')],
  ['oidc.codefresh.io', sub('account_id', 'account_name', 'pipeline_id')],
  ['api.pulumi.com/oidc', { claims: ['sub'], subject: /^pulumi:[^:]+:org:[^:/]/ }],
  ['oidc.modal.com', { claims: ['sub', 'workspace_id'], subject: /^modal:workspace_id:[^:/]/ }],
  ['huggingface.co', sub('preferred_username')],
  ['appleid.apple.com', sub('email')],
  ['slack.com', sub('https://slack.com/team_id', 'https://slack.com/user_id')],
]);

const withoutScheme = (issuer: string) =>
  issuer
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '')
    .toLowerCase();

/**
 * Which claims a trust of this issuer must have a condition on; undefined: the conditions name somebody, or the issuer serves one
 * customer only.
 */
export function claimsToName(issuer: string, conditions: readonly Condition[]): readonly string[] | undefined {
  const shared = sharedIssuers.get(withoutScheme(issuer));
  if (!shared) return undefined;
  const isNamed = conditions.some((condition) => shared.claims.includes(condition.claim) && names(condition, shared));
  return isNamed ? undefined : shared.claims;
}

function names(condition: Condition, { subject = afterKind }: SharedIssuer): boolean {
  return !('prefix' in condition) || condition.claim !== 'sub' || subject.test(condition.prefix);
}
