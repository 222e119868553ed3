import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, Fact, Field } from '../../records/page-shapes.ts';
import type { Action } from '../actions.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';

type State = AdminAnswer<'GET /vault'>;

const address = '/console/vault';

/** The seal of the secrets. */
export async function showVault(context: RequestContext): Promise<void> {
  const state = await context.api.call('GET /vault');
  const href = { text: 'Secrets', href: '/console/secrets' };
  showInConsole(context, 'console-detail', {
    crumb: href,
    name: 'Seal',
    badges: [badgeOf(state)],
    line: [],
    notice: noticeIn(context.ctx),
    actions: actionsOf(context, state),
    tabs: [],
    panels: [
      { heading: 'State', content: { kind: 'facts', facts: factsOf(state) } },
      { heading: 'How it works', content: { kind: 'words', words: wordsOf(state) } },
    ],
    aside: [],
    danger: allowedActions(context, [
      {
        route: 'POST /vault/seal' as const,
        label: 'Seal the secrets',
        href: `${address}/seal`,
        danger: true,
        words: 'No secret can be read or written until they are unsealed. Sign-in and tokens continue.',
      },
    ])
      .filter(() => state.initialized && !state.sealed)
      .map((action) => ({ ...action, button: 'Seal' })),
  });
}

function badgeOf({ initialized, sealed }: State): Cell {
  if (!initialized) return cell.quiet('Not initialized');
  return sealed ? cell.bad('Sealed') : cell.good('Open');
}

function factsOf({ kind, shares, threshold, progress, sealed }: State): Fact[] {
  const needed = { label: 'Shares needed', cell: cell.text(`${threshold} of ${shares}`) };
  const given = { label: 'Shares given to this server', cell: cell.text(`${progress} of ${threshold}`) };
  return [
    { label: 'Seal', cell: cell.text(kind === 'static' ? 'Static: the root key of the server' : 'Shares of a key') },
    ...(shares > 0 ? [needed, ...(sealed ? [given] : [])] : []),
  ];
}

function wordsOf({ kind, initialized }: State): string[] {
  if (!initialized) return ['Initialize it on the command line, which prints the shares once: latchkey vault init.'];
  if (kind === 'static')
    return ['The root key of the server unseals the secrets, so a restarted server can read them at once.'];
  return [
    'Shares of a key unseal the secrets. Each server needs the shares, again after a restart. Sealing seals every server at once.',
  ];
}

function actionsOf(context: RequestContext, { initialized, sealed }: State) {
  if (!initialized || !sealed) return [];
  return allowedActions(context, [
    { route: 'POST /vault/unseal' as const, label: 'Unseal', href: `${address}/unseal`, danger: false },
  ]);
}

const sealing: Action = {
  path: '/vault/seal',
  route: 'POST /vault/seal',
  describe: async ({ api }) => {
    const { kind, threshold, shares } = await api.call('GET /vault');
    const after =
      kind === 'static'
        ? 'An administrator can unseal them here at any time.'
        : `Each server then needs ${threshold} of the ${shares} shares again.`;
    return {
      ...{ crumb: { text: 'Seal', href: address }, heading: 'Seal the secrets?', name: '', back: address },
      words: [
        `Every server refuses to read and write secrets from the next request on, with status 503. Sign-in and tokens continue. ${after}`,
      ],
      ...{ impact: [], fields: [], button: 'Seal the secrets', danger: true },
    };
  },
  perform: async ({ api }) => {
    await api.call('POST /vault/seal');
    return { to: address, done: 'sealed' };
  },
};

const shareField: Field = {
  name: 'key',
  label: 'Share',
  type: 'password',
  value: '',
  is_required: true,
  is_secret: true,
  hint: 'One of the shares that “latchkey vault init” printed. It unseals only the server that answers.',
};

const unsealing: Action = {
  path: '/vault/unseal',
  route: 'POST /vault/unseal',
  confirmsFirst: true,
  describe: async ({ api }) => {
    const { kind, threshold, progress } = await api.call('GET /vault');
    const isStatic = kind === 'static';
    return {
      ...{ crumb: { text: 'Seal', href: address }, heading: 'Unseal the secrets', name: '', back: address },
      words: [
        isStatic
          ? 'Programs read and write secrets again, on every server.'
          : `${progress} of ${threshold} shares were given to this server.`,
      ],
      ...{ impact: [], fields: isStatic ? [] : [shareField], danger: false },
      button: isStatic ? 'Unseal the secrets' : 'Give share',
    };
  },
  perform: async ({ api }, sent) => {
    const key = sent.text('key');
    const { sealed } = await api.call('POST /vault/unseal', { body: key === undefined ? {} : { key } });
    return { to: address, done: sealed ? 'share-given' : 'unsealed' };
  },
};

export const vaultActions: Action[] = [sealing, unsealing];
