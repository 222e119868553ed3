import * as cell from '../../records/cells.ts';
import type { Panel } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { RequestContext } from '../request-context.ts';
import type { User } from './user.ts';

const names = { password: 'Password', passkey: 'Passkey', totp: 'Authenticator app' };

/** A user's sign-in methods; of recovery codes only the number left. */
export async function factorsPanel({ api }: RequestContext, { id }: User): Promise<Panel[]> {
  const { items } = await api.call('GET /users/{user}/factors', { params: { user: `id:${id}` } });
  const codes = items.filter(({ kind }) => kind === 'recovery_code').length;
  const rows = items.flatMap(({ kind, name, created_at, last_used_at }) =>
    kind === 'recovery_code'
      ? []
      : [[cell.text(names[kind]), cell.text(name ?? ''), cell.time(created_at), cell.time(last_used_at, '')]],
  );
  return [
    {
      heading: 'Sign-in methods',
      intro: codes > 0 ? `${counted(codes, 'recovery code')} left.` : undefined,
      content: {
        kind: 'table',
        columns: ['Method', 'Name', 'Added', 'Last used'].map((label) => ({ label })),
        rows,
        empty: 'None: they cannot sign in until they choose a password.',
      },
    },
  ];
}
