import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, Fact, Field, Panel } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
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
    warning: state.initialized && state.sealed ? sealedWarning(context) : undefined,
    actions: actionsOf(context, state),
    tabs: [],
    panels: [
      { heading: 'State', content: { kind: 'facts', facts: factsOf(state) } },
      ...keyPanel(state),
      { heading: 'How it works', content: { kind: 'words', words: wordsOf(state) } },
      ...sharesPanel(state),
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

/** What the seal means, and what to do. */
export function sealedWarning(context: RequestContext) {
  return {
    fact: 'The secrets are sealed.',
    words: `${sealedEffect} ${howToUnseal(context, 'Unseal them to continue.')}`,
  };
}

/** How the secrets are unsealed: by the user, in these words, or by someone else. */
export const howToUnseal = ({ api }: RequestContext, byUser: string): string =>
  api.may('POST /vault/unseal')
    ? byUser
    : 'Ask an administrator with the permission latchkey:vault:seal to unseal them.';

/** What no one can do while the secrets are sealed. */
export const sealedEffect =
  'No server reads, writes or lists secrets while they are sealed. Sign-in and tokens continue.';

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

/** The key under which those of versions are encrypted. */
function keyPanel({ term }: State): Panel[] {
  if (term === null) return [];
  const facts = [
    { label: 'Term', cell: cell.number(term.term) },
    { label: 'Created', cell: cell.time(term.created_at) },
    { label: 'Versions under it', cell: cell.number(term.versions) },
    {
      label: 'Waiting',
      cell:
        term.earlier_versions === 0
          ? cell.text('None')
          : cell.info(`${counted(term.earlier_versions, 'version')} under an earlier term`),
    },
  ];
  return [{ heading: 'Encryption key', content: { kind: 'facts', facts } }];
}

/** The shares are created and replaced where no browser holds them. */
function sharesPanel({ kind, initialized, shares, threshold }: State): Panel[] {
  if (kind === 'static' || !initialized) return [];
  const words = [
    `To replace the shares, run “latchkey vault rekey”. The holders enter ${threshold} of the ${shares} present shares, and get new ones, which are shown once. The present shares work until enough of the new ones were entered again, and never after that. Unsealed servers stay unsealed; secrets and their versions do not change.`,
    'A holder who lost a share needs new shares for everyone: one share cannot be replaced alone.',
  ];
  return [{ heading: 'Replace the shares', content: { kind: 'words', words } }];
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
  if (!initialized) return [];
  const unseal = { route: 'POST /vault/unseal', label: 'Unseal', href: `${address}/unseal`, danger: false } as const;
  const rotate = {
    route: 'POST /vault/rotate',
    label: 'Rotate key',
    href: `${address}/rotate`,
    danger: false,
  } as const;
  return allowedActions(context, [sealed ? { ...unseal, isMain: true as const } : rotate]);
}

const sealing: Action = {
  path: '/vault/seal',
  route: 'POST /vault/seal',
  describe: async ({ api }) => {
    const { kind, threshold, shares, term } = await api.call('GET /vault');
    const after =
      kind === 'static'
        ? 'An administrator can unseal them here at any time.'
        : `Each server then needs ${threshold} of the ${shares} shares again.`;
    return {
      ...{ crumb: { text: 'Seal', href: address }, heading: 'Seal the secrets?', name: '', back: address },
      words: [
        'Every server refuses to read and write secrets from the next request on, with status 503: for Vault’s API, the admin API, latchkey run and this console. A program that has a value keeps it until it reads again. Sign-in and tokens continue.',
        after,
      ],
      impact_heading: 'This affects:',
      impact: [
        { text: 'Every program', words: 'that reads secrets' },
        { text: counted(versionsIn(term), 'version'), words: 'of secrets, which stay stored' },
      ],
      ...{ fields: [], button: 'Seal the secrets', danger: true },
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

const rotating: Action = {
  path: '/vault/rotate',
  route: 'POST /vault/rotate',
  describe: async ({ api }) => {
    const { term, sealed } = await api.call('GET /vault');
    const next = (term?.term ?? 0) + 1;
    const page = {
      crumb: { text: 'Seal', href: address },
      heading: 'Rotate the encryption key?',
      name: '',
      back: address,
    };
    if (sealed || term === null) {
      const words = ['The key cannot be rotated while the secrets are sealed. Unseal them first.'];
      return { ...page, words, impact: [], fields: [], button: undefined, danger: false };
    }
    return {
      ...page,
      words: [
        `Creates the key of term ${next}. New versions are encrypted under it from now on, on every server.`,
        `The keys of the ${counted(versionsIn(term), 'version')} that exist are encrypted under it in the background. Then the key of term ${term.term} is deleted. You cannot go back to it.`,
        'Values, version numbers and permissions do not change, and programs read secrets meanwhile. Backups of the database that were made before can still be decrypted with the root key, or with the shares of that time.',
      ],
      ...{ impact: [], fields: [], button: `Create the key of term ${next}`, danger: false },
    };
  },
  perform: async ({ api }) => {
    await api.call('POST /vault/rotate');
    return { to: address, done: 'term-rotated' };
  },
};

const versionsIn = (term: State['term']) => (term ? term.versions + term.earlier_versions : 0);

export const vaultActions: Action[] = [sealing, unsealing, rotating];
