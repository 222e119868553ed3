import type { AdminAnswer } from '../../../admin/index.ts';
import { calendarDay, exactTime } from '../../times.ts';
import { counted } from '../../words.ts';
import type { RequestContext } from '../request-context.ts';
import type { AttentionLine } from './page-data.ts';
import { linkTo } from './tiles.ts';

type Attention = AdminAnswer<'GET /attention'>['items'][number];

type Words = Omit<AttentionLine, 'level' | 'link'> & {
  link?: { text: string; section: string; rest?: string };
};

const words: Record<Attention['kind'], (item: Attention) => Words> = {
  clock_skewed: ({ detail }) => ({
    icon: 'clock',
    what: 'The clock of this server is wrong',
    detail: `It differs from the clock of the database by ${detail}. This server is not ready and runs no jobs: synchronize its clock.`,
  }),
  webhook_failing: ({ id, name, count, at, detail }) => ({
    icon: 'hook',
    what: `Webhook “${name}” is failing`,
    detail: `${counted(count, 'delivery')} failed${at ? ` since ${exactTime(at)}` : ''}${detail ? ` · ${detail}` : ''}`,
    link: { text: 'View deliveries', section: 'webhooks', rest: `/${id}` },
  }),
  job_failing: ({ name, count, at }) => ({
    icon: 'alert',
    what: `Job “${name}” is failing`,
    detail: `${counted(count, 'failure')} in 24 hours${at ? `, last on ${exactTime(at)}` : ''}. The log says why.`,
  }),
  api_keys_expiring: ({ name, count, at }) => ({
    icon: 'key',
    what: `${counted(count, 'API key')} ${count === 1 ? 'expires' : 'expire'} within 7 days`,
    detail: `${name}${at ? ` on ${calendarDay(at)}` : ''}${count > 1 ? `, then ${counted(count - 1, 'other')}` : ''}`,
    link: { text: 'Review keys', section: 'api-keys' },
  }),
  client_secrets_overdue: ({ id, name, count, at, detail }) => ({
    icon: 'secret',
    what: `${counted(count, 'client secret')} ${count === 1 ? 'is' : 'are'} due for rotation`,
    detail: `The oldest, of ${name}, is from ${at ? calendarDay(at) : 'before'}; its risk allows ${detail}`,
    link: { text: 'Rotate secret', section: 'clients', rest: `/${encodeURIComponent(id ?? '')}` },
  }),
  signing_key_pending: ({ name, at }) => ({
    icon: 'sign',
    what: `A new ${name} key signs from ${at ? calendarDay(at) : 'later'}`,
    detail: `${at ? `At ${exactTime(at)}. ` : ''}It is already published; you need to do nothing.`,
    link: { text: 'View keys', section: 'signing-keys' },
  }),
};

/** The items that need attention, as far as the user may read them. */
export async function attentionFor(context: RequestContext): Promise<AttentionLine[]> {
  const { items } = await context.api.call('GET /attention');
  return items.map((item) => {
    const { link, ...line } = words[item.kind](item);
    const href = link && linkTo(context, link.section, link.rest);
    return { ...line, level: item.level, link: link && href ? { text: link.text, href } : undefined };
  });
}
