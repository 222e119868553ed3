import { PartName } from '../../../../domain/secrets/index.ts';
import { invalid } from '../../../../platform/http/index.ts';
import type { Field } from '../../records/page-shapes.ts';
import type { Action, ActionResult, FormInput } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import { pathField, pathIn } from './fields.ts';
import { lostByNext, nextVersionWords } from './forms.ts';
import { frame, mustBeAllowedAnywhere } from './secret.ts';

const words =
  'The server generates the value and does not show it. Programs read it. Public keys and certificates are shown after this form.';

const whatFields: Field[] = [
  {
    name: 'kind',
    label: 'Type',
    type: 'radios',
    value: 'password',
    options: [
      { value: 'password', text: 'Password', note: 'Letters and digits, and symbols if you want them' },
      { value: 'random', text: 'Random bytes', note: 'For example, a key for signing or encryption' },
      { value: 'key_pair', text: 'Key pair', note: 'The parts private_key and public_key, in PEM' },
      { value: 'certificate', text: 'Certificate', note: 'The parts private_key and certificate; self-signed' },
    ],
  },
  {
    name: 'part',
    label: 'Part name',
    type: 'text',
    value: 'value',
    hint: 'For example, password. The parts of a key pair or certificate begin with it, such as tls_private_key. With “value” they are private_key and so on.',
  },
];

const passwordFields: Field[] = [
  { name: 'length', label: 'Characters', type: 'number', value: '32', hint: '16 to 128.' },
  {
    name: 'symbols',
    label: 'Symbols',
    type: 'choices',
    value: '',
    options: [{ value: 'symbols', text: 'Also characters such as “!” and “+”' }],
  },
];

const randomFields: Field[] = [
  { name: 'bytes', label: 'Bytes', type: 'number', value: '32', hint: '16 to 1024.' },
  {
    name: 'encoding',
    label: 'Encoding',
    type: 'select',
    value: 'base64url',
    options: ['base64url', 'base64', 'hex'].map((value) => ({ value, text: value })),
  },
];

const keyFields: Field[] = [
  {
    name: 'algorithm',
    label: 'Key algorithm',
    type: 'select',
    value: '',
    options: [
      { value: '', text: 'Default' },
      { value: 'ec_p256', text: 'ECDSA P-256' },
      { value: 'rsa_3072', text: 'RSA, 3072 bits' },
    ],
    hint: 'Default: Ed25519 for a key pair, ECDSA P-256 for a certificate.',
  },
];

const certificateFields: Field[] = [
  { name: 'common_name', label: 'Common name', type: 'text', value: '', hint: 'For example, orders.' },
  {
    name: 'dns_names',
    label: 'DNS names',
    type: 'textarea',
    value: '',
    hint: 'One per line, such as orders.internal.',
  },
  { name: 'days', label: 'Valid for (days)', type: 'number', value: '365', hint: '1 to 825.' },
];

const inGroup = (group: string, fields: readonly Field[]) => fields.map((field) => ({ ...field, group }));

const fields: Field[] = [
  ...whatFields,
  ...inGroup('Password', passwordFields),
  ...inGroup('Random bytes', randomFields),
  ...inGroup('Key pair or certificate', keyFields),
  ...inGroup('Certificate', certificateFields),
];

/** The fields of the chosen kind; others are ignored. */
function wantedIn(sent: FormInput): Record<string, unknown> {
  const kind = sent.text('kind') ?? 'password';
  const given = {
    password: { length: sent.number('length'), symbols: sent.lines('symbols').includes('symbols') },
    random: { bytes: sent.number('bytes'), encoding: sent.text('encoding') },
    key_pair: { algorithm: sent.text('algorithm') },
    certificate: {
      ...{ algorithm: sent.text('algorithm'), common_name: sent.text('common_name') ?? '' },
      ...{ dns_names: sent.lines('dns_names'), days: sent.number('days') },
    },
  };
  const ofKind = Object.hasOwn(given, kind) ? given[kind as keyof typeof given] : {};
  const present = Object.entries(ofKind).filter(([, value]) => value !== undefined);
  return { kind, ...Object.fromEntries(present) };
}

type Place = { path: string; cas: number | undefined; done: string };

/** @throws Problem `invalid` at the field */
function partIn(sent: FormInput): string {
  const part = sent.text('part') ?? 'value';
  if (PartName.safeParse(part).success) return part;
  throw invalid('/part', 'Enter up to 64 letters, digits, “_”, “.” and “-”, beginning with a letter or “_”.');
}

async function generate({ api }: RequestContext, sent: FormInput, { path, cas, done }: Place): Promise<ActionResult> {
  const body = { generate: { [partIn(sent)]: wantedIn(sent) }, ...(cas !== undefined && { cas }) };
  const made = await api.call('POST /secrets/{path}/versions', { params: { path }, body });
  const shown = Object.entries(made.public ?? {});
  if (shown.length === 0) return { to: secretPath(path), done };
  return {
    made: {
      crumb: { text: path, href: secretPath(path) },
      heading: 'Public parts',
      name: `${path}, version ${made.number}`,
      secret: undefined,
      words: ['These are not secret. The private key is stored, and is not shown.'],
      values: shown.map(([label, text]) => ({ label, text })),
      snippets: [],
      facts: [],
    },
  };
}

export const generatingSecret: Action = {
  path: '/generate-secret',
  route: 'POST /secrets/{path}/versions',
  describe: async (context) => {
    const { crumb } = context;
    await mustBeAllowedAnywhere(context, 'write');
    return {
      ...{ crumb, heading: 'Generate secret', name: '', words: [words], impact: [] },
      fields: [pathField, ...fields],
      ...{ button: 'Generate secret', danger: false, back: crumb.href },
    };
  },
  perform: async (context, sent) => generate(context, sent, { path: pathIn(sent), cas: 0, done: 'secret-created' }),
};

export const generatingVersion: Action = {
  path: '/secrets/:path/generate',
  route: 'POST /secrets/{path}/versions',
  describe: async (context) => {
    const { secret, ...framed } = await frame(context, 'write');
    const next = secret.current_version + 1;
    return {
      ...{ ...framed, ...(await lostByNext(context, secret)) },
      ...{ heading: `Generate version ${next} of ${secret.path}`, fields },
      words: [words, 'The version has no other parts.', ...nextVersionWords(secret)],
      ...{ button: `Generate version ${next}`, danger: false, version: secret.current_version },
    };
  },
  perform: (context, sent) =>
    generate(context, sent, { path: context.params.path ?? '', cas: sent.version, done: 'version-written' }),
};
