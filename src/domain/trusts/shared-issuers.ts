import type { TrustInput } from './schemas.ts';

type Condition = TrustInput['conditions'][number];

type SharedIssuer = {
  /** The claims that name the owner of a token. */
  claims: readonly string[];
  /** The minimum length of a prefix of `sub` that names an owner; `repo:` does not. */
  subject?: RegExp;
};

const afterKind = /^[^:]+:[^:/]/;

const sub = (...claims: string[]): SharedIssuer => ({ claims: ['sub', ...claims] });

/**
 * Public issuers, by the text after `https://`. Those that give each customer an issuer of its own, such as CircleCI and Bitbucket, are not
 * among them.
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
 * The claims on which a trust of this issuer must have a condition; undefined: the conditions name an owner, or the issuer serves one
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
