import type { TrustInput } from '../../../../domain/trusts/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import type { ActionDescription } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';

export type Trust = AdminAnswer<'GET /trusts/{trust_id}'>;
export type ShownCondition = Trust['conditions'][number];
export type ShownRoleMapping = NonNullable<Trust['login']>['role_mappings'][number];
export type Condition = TrustInput['conditions'][number];
export type RoleMapping = NonNullable<TrustInput['login']>['role_mappings'][number];

/** The kinds of trusts, in words. */
export const kinds: Readonly<Record<Trust['kind'], string>> = {
  workload: 'Workloads',
  id_jag: 'Users (identity assertions)',
  login: 'Users (sign-in)',
};

export const trustPath = (id: string) => `/console/trusts/${id}`;

/** The trust that an address names. */
export function getTrust({ api, params: { trust_id = '' } }: RequestContext): Promise<Trust> {
  return api.call('GET /trusts/{trust_id}', { params: { trust_id } });
}

/** A trust, with the common data of its action pages. */
export async function frame(
  context: RequestContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { trust: Trust }> {
  const trust = await getTrust(context);
  return { trust, crumb: context.crumb, name: trust.name, back: trustPath(trust.id) };
}
