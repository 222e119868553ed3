import { invalid, patchReplacing } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Field, Option } from '../../records/page-shapes.ts';
import { apiLines, rightsFields, rightsLinesIn, rightsPerApiIn } from '../../records/rights-lines.ts';
import type { Action, FormInput } from '../actions.ts';
import { listedApis, scopeOptions } from '../pickers.ts';
import { conditionLine, conditionsIn } from './condition-lines.ts';
import { providerChanges, providerFields } from './provider-forms.ts';
import { reviewFields, reviewIn } from './review-fields.ts';
import { frame, getTrust, type Trust, trustPath } from './trust.ts';
import { conditionsField, issuerField, nameField } from './trust-fields.ts';

const nameHint = 'For example, the cluster or the repository.';

const kindField: Field = {
  name: 'kind',
  label: 'Accepts tokens about',
  type: 'select',
  value: 'workload',
  options: [
    { value: 'workload', text: 'Workloads: programs that act for themselves' },
    { value: 'id_jag', text: 'Users: identity assertions (ID-JAG) that clients present' },
  ],
};

const platforms = ['https://token.actions.githubusercontent.com', 'https://gitlab.com'];

const conditionsHint =
  'One per line; all must be met. A trust in workloads needs at least one. Such as “repository = acme/shop”, “ref = refs/heads/main | refs/heads/next” or “sub begins with system:serviceaccount:shop”.';

function fieldsOf(options: readonly Option[], trust?: Trust): Field[] {
  return [
    conditionsField(conditionsHint, trust),
    ...rightsFields({
      name: 'permissions',
      label: 'Permissions of its workloads, or of clients for its users',
      options,
      lines: apiLines(trust?.permissions ?? {}),
      hint: 'One permission per line with its API, such as orders:* at https://api.example. Only permissions that you hold.',
    }),
    ...[...advancedFields(trust), ...reviewFields(trust)].map((field) => ({ ...field, group: 'Advanced' })),
  ];
}

function advancedFields(trust?: Trust): Field[] {
  return [
    {
      name: 'audience',
      label: 'Audience',
      type: 'text',
      value: trust?.audience ?? '',
      hint: 'The only “aud” of its tokens. Empty: the issuer of this server.',
    },
    {
      name: 'jwks_uri',
      label: 'Address of its keys',
      type: 'text',
      value: trust?.jwks_uri ?? '',
      hint: 'Empty: found by discovery at the issuer.',
    },
    {
      name: 'jwks',
      label: 'Public keys',
      type: 'textarea',
      value: trust?.jwks ? JSON.stringify(trust.jwks, undefined, 2) : '',
      hint: 'A JWK set, for an issuer that this server cannot reach.',
    },
    {
      name: 'roles',
      label: 'Roles of its workloads',
      type: 'textarea',
      value: (trust?.roles ?? []).join('\n'),
      hint: 'One per line. Only roles whose permissions you hold.',
    },
    {
      name: 'access_token_ttl_seconds',
      label: 'Maximum token lifetime (seconds)',
      type: 'number',
      value: String(trust?.access_token_ttl_seconds ?? ''),
      hint: 'Empty: that of the API.',
    },
    {
      name: 'most_workloads',
      label: 'Maximum workloads',
      type: 'number',
      value: String(trust?.most_workloads ?? 1000),
    },
    {
      name: 'once',
      label: 'Reuse',
      type: 'choices',
      value: trust?.one_time ? 'one_time' : '',
      options: [{ value: 'one_time', text: 'Accept each token once' }],
    },
  ];
}

function valuesIn(sent: FormInput) {
  const most_workloads = sent.number('most_workloads');
  return {
    name: sent.text('name') ?? '',
    conditions: conditionsIn(sent.lines('conditions'), 'conditions'),
    permissions: rightsPerApiIn(rightsLinesIn(sent, 'permissions'), 'permissions'),
    one_time: sent.lines('once').includes('one_time'),
    roles: sent.lines('roles'),
    ...(most_workloads !== undefined && { most_workloads }),
  };
}

/** Members that are left out, or removed, if their field is empty. */
function optionsIn(sent: FormInput, trust?: Trust) {
  return {
    audience: sent.text('audience'),
    jwks_uri: sent.text('jwks_uri'),
    jwks: keysIn(sent.text('jwks')),
    access_token_ttl_seconds: sent.number('access_token_ttl_seconds'),
    token_review: reviewIn(sent, trust?.token_review),
  };
}

/** @throws Problem `invalid` at the field */
function keysIn(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('/jwks', 'This is not JSON. Enter a JWK set, such as {"keys": [ … ]}.');
  }
}

export const creatingTrust: Action = {
  path: '/new-trust',
  route: 'POST /trusts',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Create trust',
    name: '',
    words: [
      'Workloads with a token of this issuer that meets the conditions get access tokens, without a registration. Identity assertions of this issuer give clients tokens for the users whose accounts are linked.',
    ],
    impact: [],
    fields: [
      ...[nameField(nameHint), kindField, issuerField(platforms)],
      ...fieldsOf(scopeOptions(await listedApis(context))),
    ],
    button: 'Create trust',
    danger: false,
    back: context.crumb.href,
  }),
  perform: async ({ api }, sent) => {
    const given = Object.entries(optionsIn(sent)).filter(([, value]) => value !== undefined);
    const body = {
      kind: (sent.text('kind') ?? 'workload') as Trust['kind'],
      issuer: sent.text('issuer') ?? '',
      ...valuesIn(sent),
      ...Object.fromEntries(given),
    };
    const { id } = await api.call('POST /trusts', { body });
    return { to: trustPath(id), done: 'registered' };
  },
};

export const changingTrust: Action = {
  path: '/trusts/:trust_id/change',
  route: 'PATCH /trusts/{trust_id}',
  describe: async (context) => {
    const { trust, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Edit ${trust.name}`,
      words: [
        'If you change the conditions, the audience or the keys, the tokens issued under this trust are revoked.',
      ],
      impact: [],
      fields: trust.login
        ? providerFields(trust)
        : [nameField(nameHint, trust.name), ...fieldsOf(scopeOptions(await listedApis(context)), trust)],
      button: 'Save trust',
      danger: false,
      version: trust.version,
      present: [
        { label: 'Conditions', cell: cell.codes(trust.conditions.map(conditionLine)) },
        { label: 'Permissions', cell: cell.codes(apiLines(trust.permissions)) },
      ],
    };
  },
  perform: async (context, sent) => {
    const {
      api,
      params: { trust_id = '' },
    } = context;
    const { login, ...trust } = await getTrust(context);
    const { token_review, ...options } = optionsIn(sent, trust);
    const removed = Object.entries(options).map(([name, value]) => [name, value ?? null]);
    const review = { token_review: patchReplacing(trust.token_review, token_review) };
    const tokens = { ...valuesIn(sent), ...Object.fromEntries(removed), ...review };
    const body = login ? providerChanges(sent) : tokens;
    await api.call('PATCH /trusts/{trust_id}', { params: { trust_id }, body, ifVersion: sent.version });
    return { to: trustPath(trust_id), done: 'saved' };
  },
};
