import { keyPage } from '../../keys/key-page.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';
import { withKeys } from './key-context.ts';

/** One key: its owner, its permissions, its versions, its use and its actions. */
export async function showKey(context: RequestContext): Promise<void> {
  showInConsole(context, 'console-detail', await keyPage(withKeys(context)));
}
