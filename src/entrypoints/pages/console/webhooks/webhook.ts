import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { ActionDescription } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';

export type Webhook = AdminAnswer<'GET /webhooks/{webhook_id}'>;
export type Delivery = AdminAnswer<'GET /webhooks/{webhook_id}/deliveries'>['items'][number];

export const webhookPath = (id: string) => `/console/webhooks/${id}`;

/** Its display name: the description, or else the address it sends to. */
export const nameOf = ({ description, url }: Webhook): string => description ?? URL.parse(url)?.host ?? url;

/** The webhook that an address names. */
export function getWebhook({ api, params: { webhook_id = '' } }: RequestContext): Promise<Webhook> {
  return api.call('GET /webhooks/{webhook_id}', { params: { webhook_id } });
}

/** A webhook, with the common data of its action pages. */
export async function frame(
  context: RequestContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { webhook: Webhook }> {
  const webhook = await getWebhook(context);
  return { webhook, crumb: context.crumb, name: nameOf(webhook), back: webhookPath(webhook.id) };
}

export function stateOf({ enabled, disabled_because }: Webhook): Cell {
  if (enabled) return cell.good('Active');
  return disabled_because === 'gone' ? cell.bad('Disabled by the receiver') : cell.quiet('Disabled');
}

export const deliveryStates: Record<Delivery['state'], { text: string; cell: Cell }> = {
  delivered: { text: 'Delivered', cell: cell.good('Delivered') },
  retrying: { text: 'Retrying', cell: cell.warn('Retrying') },
  dead: { text: 'Failed', cell: cell.bad('Failed') },
  requested: { text: 'Scheduled', cell: cell.info('Scheduled') },
};
