import { Problem } from '../../../../platform/http/index.ts';
import { showList } from '../lists.ts';
import type { RequestContext } from '../request-context.ts';
import type { ConsoleSection } from '../section.ts';
import { secretActions } from './actions.ts';
import { showSecret } from './detail.ts';
import { secretList } from './list.ts';
import { showVault } from './vault.ts';

export const secrets: ConsoleSection = {
  section: 'secrets',
  label: 'Secrets',
  group: 'Credentials',
  icon: 'secret',
  permission: 'latchkey:secret:list',
  main: { page: (context) => unlessSealed(context, () => showList(context, secretList)) },
  details: {
    '/vault': showVault,
    '/secrets/:path': (context) => unlessSealed(context, () => showSecret(context)),
  },
  actions: secretActions,
};

/** While the secrets are sealed, their pages show the seal. */
async function unlessSealed(context: RequestContext, show: () => Promise<void>): Promise<void> {
  try {
    await show();
  } catch (error) {
    const isSealed = error instanceof Problem && error.type === 'sealed';
    if (!isSealed || !context.api.may('GET /vault')) throw error;
    await showVault(context);
  }
}
