import { notFound } from '../../../../platform/http/index.ts';
import type { Action, ActionDescription } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import { affected, listConsumers } from './consumers.ts';
import { droppedBy, nextVersionWords } from './forms.ts';
import { frame, type Secret, type Version } from './secret.ts';

type Change = 'delete' | 'undelete' | 'destroy';
type Words = Pick<ActionDescription, 'words' | 'button' | 'danger' | 'heading'>;

/** Actions on one version of a secret. */
export const versionActions: Action[] = [
  changing('delete', 'version-deleted', deletingWords),
  changing('undelete', 'version-undeleted', undeletingWords),
  changing('destroy', 'version-destroyed', destroyingWords),
  rollingBack(),
];

function changing(change: Change, done: string, wordsOf: (secret: Secret, version: Version) => Words): Action {
  return {
    path: `/secrets/:path/versions/:number/${change}`,
    route: `POST /secrets/{path}/versions/{number}/${change}`,
    describe: async (context) => {
      const { secret, ...framed } = await frame(context, change === 'destroy' ? 'destroy' : 'delete');
      const version = versionIn(context, secret);
      const words = wordsOf(secret, version);
      if (!words.danger) return { ...framed, ...words, impact: [], fields: [] };
      const consumers = await listConsumers(context, secret.path);
      const lost = await affected(context, consumers, (number) => number === version.number);
      return { ...framed, ...words, ...lost, fields: [] };
    },
    perform: async ({ api, params: { path = '', number = '' } }) => {
      await api.call(`POST /secrets/{path}/versions/{number}/${change}`, { params: { path, number } });
      return { to: secretPath(path), done };
    },
  };
}

/** @throws Problem `not_found` */
function versionIn({ params: { number = '' } }: RequestContext, { path, versions }: Secret): Version {
  const version = versions.find((each) => String(each.number) === number);
  if (!version) throw notFound('version', `${number} of ${path}`);
  return version;
}

function deletingWords({ path, current_version }: Secret, { number }: Version): Words {
  const effect =
    number === current_version
      ? 'It is the current version: programs that read the secret get no value until you undelete it or write a new one.'
      : 'Programs that name this version get no value.';
  return {
    heading: `Delete version ${number} of ${path}?`,
    words: [effect, 'You can undelete it.'],
    button: `Delete version ${number}`,
    danger: true,
  };
}

function undeletingWords({ path }: Secret, { number }: Version): Words {
  return {
    heading: `Undelete version ${number} of ${path}?`,
    words: ['The version can be read again, without an expiry if it had expired.'],
    button: `Undelete version ${number}`,
    danger: false,
  };
}

function destroyingWords({ path, current_version }: Secret, { number }: Version): Words {
  const effect =
    number === current_version
      ? 'It is the current version: programs that read the secret get no value until you write a new one.'
      : 'Programs that name this version get no value.';
  return {
    heading: `Destroy version ${number} of ${path}?`,
    words: [
      effect,
      'Its key and its value are deleted, and you cannot undo this. Backups of the database that were made before still hold both.',
    ],
    button: `Destroy version ${number}`,
    danger: true,
  };
}

function rollingBack(): Action {
  return {
    path: '/secrets/:path/versions/:number/rollback',
    route: 'POST /secrets/{path}/rollback',
    describe: async (context) => {
      const { secret, ...framed } = await frame(context, 'read', 'write');
      const { number } = versionIn(context, secret);
      const { path, current_version: current } = secret;
      const next = current + 1;
      const dropped = droppedBy(secret);
      const consumers = await listConsumers(context, path);
      return {
        ...framed,
        ...(await affected(context, consumers, (each) => each === current || dropped.includes(each))),
        heading: `Roll back ${path} to version ${number}?`,
        words: [
          `The value of version ${number} is written again as version ${next}. Version ${current} stays readable by its number. Your read of version ${number} is recorded, and the value is not shown.`,
          ...nextVersionWords(secret),
        ],
        fields: [],
        button: `Roll back to version ${number}`,
        danger: false,
      };
    },
    perform: async ({ api, params: { path = '', number = '' } }) => {
      await api.call('POST /secrets/{path}/rollback', { params: { path }, body: { version: Number(number) } });
      return { to: secretPath(path), done: 'rolled-back' };
    },
  };
}
