import { conflict, Problem } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Action, ActionDescription } from '../actions.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';
import { howToUnseal, sealedEffect, sealedWarning, showVault } from './vault.ts';

const isSealed = (error: unknown) => error instanceof Problem && error.type === 'sealed';

const next = (context: RequestContext) => howToUnseal(context, 'Unseal them on the page Seal.');

/** While the secrets are sealed, their pages show the seal, or what to do. */
export async function unlessSealed(context: RequestContext, show: () => Promise<void>): Promise<void> {
  try {
    await show();
  } catch (error) {
    if (!isSealed(error)) throw error;
    if (context.api.may('GET /vault')) await showVault(context);
    else showSealed(context);
  }
}

function showSealed(context: RequestContext): void {
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: 'Secrets are sealed',
    ...{ badges: [cell.bad('Sealed')], line: [], notice: undefined, actions: [], tabs: [], panels: [] },
    ...{ warning: sealedWarning(context), aside: [], danger: [] },
  });
}

/** An action on secrets, which says what to do while they are sealed. */
export function whileOpen(action: Action): Action {
  return {
    ...action,
    describe: (context) => action.describe(context).catch((error) => sealedPage(context, error)),
    perform: (context, sent) =>
      action.perform(context, sent).catch((error) => {
        throw isSealed(error) ? conflict(`${sealedEffect} ${next(context)}`) : error;
      }),
  };
}

/** @throws the error, if it is another one */
function sealedPage(context: RequestContext, error: unknown): ActionDescription {
  if (!isSealed(error)) throw error;
  return {
    ...{ crumb: context.crumb, heading: 'The secrets are sealed', name: '', back: '/console/secrets' },
    ...{ words: [sealedEffect, next(context)], impact: [], fields: [], button: undefined, danger: false },
  };
}
