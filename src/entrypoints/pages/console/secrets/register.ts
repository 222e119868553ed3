import { conflict, invalid, Problem } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Action } from '../actions.ts';
import { secretPath } from './addresses.ts';
import {
  descriptionField,
  elsewhereFields,
  environmentField,
  pathField,
  pathIn,
  replacedField,
  replacedIn,
  riskField,
  riskIn,
} from './fields.ts';
import { ownerField, ownerIn } from './owners.ts';
import { frame, mustBeAllowedAnywhere } from './secret.ts';

/** Creates the record of a credential that another system stores. */
export const registering: Action = {
  path: '/register-credential',
  route: 'PATCH /secrets/{path}',
  describe: async (context) => {
    await mustBeAllowedAnywhere(context, 'write');
    return {
      ...{ crumb: context.crumb, heading: 'Register credential', name: '', impact: [] },
      words: [
        'Records a credential that another system stores: where it is, who can get at it, and when it was last replaced. Latchkey does not hold its value.',
      ],
      fields: [
        pathField,
        ...elsewhereFields({ location: null, accessible_to: [], rotated_at: null }),
        riskField(null),
        environmentField(null),
        await ownerField(context, null),
        descriptionField(null),
      ],
      ...{ button: 'Register credential', danger: false, back: context.crumb.href },
    };
  },
  perform: async ({ api }, sent) => {
    const path = pathIn(sent);
    const location = sent.text('location');
    if (location === undefined) throw invalid('/location', 'Enter where it is kept.');
    const body = {
      ...{ location, accessible_to: sent.lines('accessible_to'), rotated_at: replacedIn(sent) },
      ...{ risk: riskIn(sent), environment: sent.text('environment') ?? null, owner: ownerIn(sent) },
      description: sent.text('description') ?? null,
    };
    // No record has the version 0: an existing one is not changed.
    await api.call('PATCH /secrets/{path}', { params: { path }, body, ifVersion: 0 }).catch(alreadyThere);
    return { to: secretPath(path), done: 'credential-registered' };
  },
};

function alreadyThere(error: unknown): never {
  if (!(error instanceof Problem && error.status === 412)) throw error;
  throw conflict('There is already a secret with this path. Choose another path, or edit the settings of that secret.');
}

/** Records that a credential was replaced where it is stored. */
export const recordingReplacement: Action = {
  path: '/secrets/:path/replaced',
  route: 'PATCH /secrets/{path}',
  describe: async (context) => {
    const { secret, ...framed } = await frame(context, 'write');
    return {
      ...framed,
      heading: `Record a replacement of ${secret.path}`,
      words: ['Enter when the credential was replaced where it is kept. Nothing changes there.'],
      impact: [],
      fields: [{ ...replacedField(context.deps.now()), is_required: true }],
      ...{ button: 'Record replacement', danger: false, version: secret.version },
      present: [{ label: 'Last replaced', cell: cell.time(secret.rotated_at, 'Not known') }],
    };
  },
  perform: async ({ api, params: { path = '' } }, sent) => {
    const rotated_at = replacedIn(sent);
    if (rotated_at === null) throw invalid('/rotated_at', 'Enter when it was replaced.');
    await api.call('PATCH /secrets/{path}', { params: { path }, body: { rotated_at }, ifVersion: sent.version });
    return { to: secretPath(path), done: 'replacement-recorded' };
  },
};
