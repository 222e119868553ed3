import { parseEnv } from 'node:util';
import { invalid } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Field } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { Action, FormInput } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import { affected, listConsumers } from './consumers.ts';
import {
  descriptionField,
  elsewhereFields,
  environmentField,
  pathField,
  pathIn,
  replacedIn,
  riskField,
  riskIn,
} from './fields.ts';
import { ownerField, ownerIn } from './owners.ts';
import { frame, mustBeAllowedAnywhere, type Secret } from './secret.ts';

const valueFields: Field[] = [
  {
    name: 'format',
    label: 'Format',
    type: 'radios',
    value: 'text',
    options: [
      { value: 'text', text: 'One text', note: 'For example, a password, a key or a certificate' },
      { value: 'parts', text: 'Named parts', note: 'One NAME=value per line, or a JSON object' },
    ],
  },
  {
    name: 'value',
    label: 'Value',
    type: 'textarea',
    value: '',
    is_secret: true,
    hint: 'At most 50 KiB. Spaces and line ends around it are removed. Larger and binary values: latchkey secret put.',
  },
];

/** @throws Problem `invalid` at the field */
function dataIn(sent: FormInput): Record<string, unknown> {
  const text = sent.text('value');
  if (text === undefined) throw invalid('/value', 'Enter the value.');
  if (sent.text('format') !== 'parts') return { value: text };
  const parts = text.startsWith('{') ? parsed(text) : parseEnv(text);
  if (Object.keys(parts).length > 0) return parts as Record<string, unknown>;
  throw invalid('/value', 'Enter one NAME=value per line, or a JSON object.');
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('/value', 'This is not a JSON object.');
  }
}

export const creatingSecret: Action = {
  path: '/new-secret',
  route: 'POST /secrets/{path}/versions',
  confirmsFirst: true,
  describe: async (context) => {
    await mustBeAllowedAnywhere(context, 'write');
    return {
      crumb: context.crumb,
      heading: 'Create secret',
      name: '',
      words: ['The value is encrypted under its own key. Only callers with a permission for its path can read it.'],
      impact: [],
      fields: [pathField, ...valueFields],
      button: 'Create secret',
      danger: false,
      back: context.crumb.href,
    };
  },
  perform: async ({ api }, sent) => {
    const path = pathIn(sent);
    const body = { data: dataIn(sent), cas: 0 };
    await api.call('POST /secrets/{path}/versions', { params: { path }, body });
    return { to: secretPath(path), done: 'secret-created' };
  },
};

export const addingVersion: Action = {
  path: '/secrets/:path/new-version',
  route: 'POST /secrets/{path}/versions',
  confirmsFirst: true,
  describe: async (context) => {
    const { secret, ...framed } = await frame(context, 'write');
    const { path, current_version } = secret;
    return {
      ...{ ...framed, ...(await lostByNext(context, secret)) },
      heading: `Write version ${current_version + 1} of ${path}`,
      words: nextVersionWords(secret),
      fields: valueFields,
      button: `Write version ${current_version + 1}`,
      danger: false,
      version: current_version,
      present: [{ label: 'Current version', cell: cell.number(current_version) }],
    };
  },
  perform: async ({ api, params: { path = '' } }, sent) => {
    const body = { data: dataIn(sent), ...(sent.version !== undefined && { cas: sent.version }) };
    await api.call('POST /secrets/{path}/versions', { params: { path }, body });
    return { to: secretPath(path), done: 'version-written' };
  },
};

/** The versions that are destroyed when the next one is written. */
export function droppedBy({ current_version, max_versions, versions }: Secret): number[] {
  const oldest = current_version + 1 - max_versions;
  return versions.filter(({ number, state }) => number <= oldest && state !== 'destroyed').map(({ number }) => number);
}

/** The effect of the next version on programs, and which versions it destroys. */
export function nextVersionWords(secret: Secret): string[] {
  const effect =
    'It becomes the current version: programs get it at their next read, and those that keep a value get it when they read again.';
  const [first, ...others] = droppedBy(secret);
  if (first === undefined) return [effect];
  const which = others.length > 0 ? `v${first} to v${others.at(-1)} are` : `v${first} is`;
  const kept = counted(secret.max_versions, 'version');
  return [effect, `${which} destroyed, because this secret keeps ${kept}. You cannot undo this.`];
}

/** The readers of the versions that the next one destroys. */
export async function lostByNext(context: RequestContext, secret: Secret) {
  const dropped = new Set(droppedBy(secret));
  if (dropped.size === 0) return { impact: [] };
  return affected(context, await listConsumers(context, secret.path), (version) => dropped.has(version));
}

async function settingsFields(context: Parameters<typeof ownerField>[0], secret: Secret): Promise<Field[]> {
  const { description, environment, risk, custom_metadata, max_versions, cas_required } = secret;
  const labels = Object.entries(custom_metadata).map(([name, value]) => `${name}=${value}`);
  return [
    descriptionField(description),
    environmentField(environment),
    riskField(risk),
    await ownerField(context, secret.owner),
    {
      name: 'labels',
      label: 'Labels',
      type: 'textarea',
      value: labels.join('\n'),
      hint: 'One name=value per line. They are stored unencrypted.',
    },
    ...elsewhereFields(secret, 'Kept elsewhere'),
    { name: 'max_versions', label: 'Versions kept', type: 'number', value: String(max_versions), is_required: true },
    {
      name: 'delete_after_seconds',
      label: 'Each version readable for (seconds)',
      type: 'number',
      value: secret.delete_after_seconds === null ? '' : String(secret.delete_after_seconds),
      hint: 'Empty: until it is deleted. It applies to versions that are written from now on.',
    },
    {
      name: 'cas',
      label: 'Check-and-set',
      type: 'choices',
      value: cas_required ? 'required' : '',
      options: [{ value: 'required', text: 'Each write must name the current version' }],
    },
  ];
}

export const changingSettings: Action = {
  path: '/secrets/:path/change',
  route: 'PATCH /secrets/{path}',
  describe: async (context) => {
    const { secret, ...framed } = await frame(context, 'write');
    return {
      ...framed,
      heading: `Edit ${secret.path}`,
      words: ['The settings of the secret. They are not encrypted; the values are.'],
      impact: [],
      fields: await settingsFields(context, secret),
      button: 'Save settings',
      danger: false,
      version: secret.version,
      present: [
        { label: 'Description', cell: cell.text(secret.description ?? 'None') },
        { label: 'Versions kept', cell: cell.number(secret.max_versions) },
      ],
    };
  },
  perform: async (context, sent) => {
    const { api } = context;
    const { secret } = await frame(context);
    const { path } = secret;
    const body = {
      description: sent.text('description') ?? null,
      environment: sent.text('environment') ?? null,
      risk: riskIn(sent),
      owner: ownerIn(sent),
      custom_metadata: { ...removed(secret), ...labelsIn(sent) },
      max_versions: sent.number('max_versions') ?? secret.max_versions,
      cas_required: sent.lines('cas').includes('required'),
      delete_after_seconds: sent.number('delete_after_seconds') ?? null,
      location: sent.text('location') ?? null,
      accessible_to: sent.lines('accessible_to'),
      rotated_at: replacedIn(sent, secret.rotated_at),
    };
    await api.call('PATCH /secrets/{path}', { params: { path }, body, ifVersion: sent.version });
    return { to: secretPath(path), done: 'saved' };
  },
};

const removed = ({ custom_metadata }: Secret) =>
  Object.fromEntries(Object.keys(custom_metadata).map((name) => [name, null]));

/** @throws Problem `invalid` at the field */
function labelsIn(sent: FormInput): Record<string, string> {
  const pairs = sent.lines('labels').map((line) => {
    const [, name, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw invalid('/labels', `Enter one name=value per line. This line has no “=”: ${line.slice(0, 80)}`);
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}
