import type { Action } from '../actions.ts';
import { findingValue } from './find.ts';
import { addingVersion, changingSettings, creatingSecret } from './forms.ts';
import { generatingSecret, generatingVersion } from './generate.ts';
import { revealing } from './reveal.ts';
import { frame, listConsumers, lostBy } from './secret.ts';
import { vaultActions } from './vault.ts';
import { versionActions } from './version-actions.ts';

const deleting: Action = {
  path: '/secrets/:path/delete',
  route: 'DELETE /secrets/{path}',
  describe: async (context) => {
    const { secret, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Delete ${secret.path}?`,
      words: [
        'All versions are deleted with their keys, and you cannot undo this. Backups of the database that were made before still hold them.',
      ],
      impact: lostBy(await listConsumers(context, secret.path), () => true),
      fields: [],
      button: 'Delete secret',
      danger: true,
    };
  },
  perform: async ({ api, params: { path = '' } }) => {
    await api.call('DELETE /secrets/{path}', { params: { path } });
    return { to: '/console/secrets', done: 'secret-deleted' };
  },
};

export const secretActions: Action[] = [
  creatingSecret,
  generatingSecret,
  findingValue,
  revealing,
  addingVersion,
  generatingVersion,
  changingSettings,
  ...versionActions,
  deleting,
  ...vaultActions,
];
