import { counted } from '../../words.ts';
import type { Action } from '../actions.ts';
import { affected, listConsumers } from './consumers.ts';
import { findingValue } from './find.ts';
import { addingVersion, changingSettings, creatingSecret } from './forms.ts';
import { generatingSecret, generatingVersion } from './generate.ts';
import { recordingReplacement, registering } from './register.ts';
import { revealing } from './reveal.ts';
import { whileOpen } from './sealed.ts';
import { frame } from './secret.ts';
import { vaultActions } from './vault.ts';
import { versionActions } from './version-actions.ts';

const deleting: Action = {
  path: '/secrets/:path/delete',
  route: 'DELETE /secrets/{path}',
  describe: async (context) => {
    const { secret, ...framed } = await frame(context, 'destroy');
    const { path, versions } = secret;
    const all =
      versions.length === 1 ? 'Its version is deleted with its key' : 'All versions are deleted with their keys';
    return {
      ...{ ...framed, ...(await affected(context, await listConsumers(context, path), () => true)) },
      heading: `Delete ${path}?`,
      words: [
        versions.length === 0
          ? 'The record is deleted with its settings. The credential itself stays where it is kept.'
          : `${all}, and you cannot undo this. Programs that read the secret get no value. Backups of the database that were made before still hold it.`,
      ],
      fields: [],
      button: versions.length > 1 ? `Delete secret and ${counted(versions.length, 'version')}` : 'Delete secret',
      danger: true,
    };
  },
  perform: async ({ api, params: { path = '' } }) => {
    await api.call('DELETE /secrets/{path}', { params: { path } });
    return { to: '/console/secrets', done: 'secret-deleted' };
  },
};

export const secretActions: Action[] = [
  ...[
    creatingSecret,
    generatingSecret,
    registering,
    findingValue,
    revealing,
    addingVersion,
    generatingVersion,
    changingSettings,
    recordingReplacement,
    ...versionActions,
    deleting,
  ].map(whileOpen),
  ...vaultActions,
];
