import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, MadePage } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { Action } from '../actions.ts';
import { changingTrust, creatingTrust } from './forms.ts';
import { addingProvider } from './provider-forms.ts';
import { frame, type Trust, trustPath } from './trust.ts';

type Explanation = AdminAnswer<'POST /trusts/{trust_id}/explanation'>;

const explaining: Action = {
  path: '/trusts/:trust_id/explain',
  route: 'POST /trusts/{trust_id}/explanation',
  describe: async (context) => {
    const { trust, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Explain a token for ${trust.name}`,
      words: [
        'See whether this trust accepts a token, and which check fails. Nothing is issued, and the token is not used up.',
      ],
      impact: [],
      fields: [
        {
          name: 'assertion',
          label: 'Token',
          type: 'textarea',
          value: '',
          is_required: true,
          // It is a credential: a refused form does not show it again.
          is_secret: true,
          hint: 'A JWT of the issuer: three parts joined by dots. It is not stored.',
        },
      ],
      button: 'Explain token',
      danger: false,
    };
  },
  perform: async (context, sent) => {
    const { trust } = await frame(context);
    const body = { assertion: sent.text('assertion') ?? '' };
    const params = { trust_id: trust.id };
    return { made: explained(trust, await context.api.call('POST /trusts/{trust_id}/explanation', { params, body })) };
  },
};

function explained(trust: Trust, { accepted, checks, client_id, is_registered, user }: Explanation): MadePage {
  const failed = checks.filter(({ passed }) => passed === false).length;
  const client = is_registered ? `as the client ${client_id}` : `and registered as the client ${client_id}`;
  const acceptedWords =
    user === null
      ? `The workload would be accepted ${client}.`
      : `The client ${client_id} would get a token for the user ${user}.`;
  return {
    crumb: { text: trust.name, href: trustPath(trust.id) },
    heading: accepted ? 'Token accepted' : 'Token refused',
    name: trust.name,
    secret: undefined,
    words: [accepted ? acceptedWords : `${counted(failed, 'check')} failed.`],
    snippets: [],
    facts_heading: 'Checks',
    facts: checks.map(({ check, passed, detail }) => ({ label: wordsOf(check), cell: resultOf(passed, detail) })),
  };
}

const wordsOf = (check: string) => check.charAt(0).toUpperCase() + check.slice(1).replaceAll('_', ' ');

function resultOf(passed: boolean | null, detail: string): Cell {
  if (passed === null) return cell.quiet('Not checked', detail);
  return passed ? cell.good('Passed', detail) : cell.bad('Failed', detail);
}

const disabling: Action = {
  path: '/trusts/:trust_id/disable',
  route: 'POST /trusts/{trust_id}/disable',
  describe: async (context) => {
    const { trust, ...framed } = await frame(context);
    if (trust.login) return { ...framed, ...disablingLogin(trust.name) };
    const { total } = await context.api.call('GET /trusts/{trust_id}/workloads', {
      params: { trust_id: trust.id },
      query: { limit: '1', total: 'true' },
    });
    const workloads = counted(total ?? 0, 'workload');
    return {
      ...framed,
      heading: `Disable ${trust.name}?`,
      words: ['You can enable it again; the tokens that this revokes stay revoked.'],
      impact: [{ text: workloads, words: 'disabled, and every token that they got revoked' }],
      fields: [],
      button: `Disable trust and ${workloads}`,
      danger: true,
    };
  },
  perform: async ({ api, params: { trust_id = '' } }) => {
    await api.call('POST /trusts/{trust_id}/disable', { params: { trust_id } });
    return { to: trustPath(trust_id), done: 'disabled' };
  },
};

const disablingLogin = (name: string) => ({
  heading: `Disable ${name}?`,
  words: ['You can enable it again; users must then sign in again.'],
  impact: [{ text: 'Every session', words: 'that began with this provider is revoked' }],
  fields: [],
  button: 'Disable trust',
  danger: true,
});

const enabling: Action = {
  path: '/trusts/:trust_id/enable',
  route: 'PATCH /trusts/{trust_id}',
  describe: async (context) => {
    const { trust, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Enable ${trust.name}?`,
      words: [
        trust.login
          ? 'Users can sign in with it again.'
          : 'Its workloads get tokens again, except those that were disabled one by one. Earlier tokens stay revoked.',
      ],
      impact: [],
      fields: [],
      button: 'Enable trust',
      danger: false,
      version: trust.version,
      present: [{ label: 'State', cell: cell.enabled(trust.enabled) }],
    };
  },
  perform: async ({ api, params: { trust_id = '' } }, { version: ifVersion }) => {
    await api.call('PATCH /trusts/{trust_id}', { params: { trust_id }, body: { enabled: true }, ifVersion });
    return { to: trustPath(trust_id), done: 'saved' };
  },
};

const deletingWorkload: Action = {
  path: '/trusts/:trust_id/workloads/:client_id/delete',
  route: 'DELETE /trusts/{trust_id}/workloads/{client_id}',
  describe: async (context) => ({
    ...(await frame(context)),
    heading: 'Delete this workload?',
    words: ['Its next request registers it again. Disable it to refuse it.'],
    impact: [{ text: context.params.client_id ?? '', words: 'deleted, with every token that it got revoked' }],
    fields: [],
    button: 'Delete workload',
    danger: true,
  }),
  perform: async ({ api, params: { trust_id = '', client_id = '' } }) => {
    await api.call('DELETE /trusts/{trust_id}/workloads/{client_id}', { params: { trust_id, client_id } });
    return { to: trustPath(trust_id), done: 'workload-deleted' };
  },
};

export const trustActions: Action[] = [
  creatingTrust,
  addingProvider,
  changingTrust,
  explaining,
  disabling,
  enabling,
  deletingWorkload,
];
