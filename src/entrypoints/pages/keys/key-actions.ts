import { isLiveVersion } from '../../../domain/api-keys/index.ts';
import type { Action } from '../records/actions.ts';
import { overlaps } from '../records/overlaps.ts';
import type { Impact } from '../records/page-shapes.ts';
import { exactTime, relativeTime } from '../times.ts';
import { counted } from '../words.ts';
import { changing } from './changing.ts';
import { frame, madeKey } from './frame.ts';
import { getKeyOf, type Key, type KeyContext, type KeyVerb, type RotatedKey, shortOf } from './key-context.ts';

const rotating: Action<KeyContext> = {
  path: '/:key_id/rotate',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Rotate ${key.name}`,
      words: [
        'The new version is shown once, on the next page. Roll it out before the previous one expires.',
        key.expires_at ? `The key expires on ${exactTime(key.expires_at)}.` : 'The key never expires.',
      ],
      impact: revoked(context, key, 'refused after the overlap'),
      fields: [
        {
          name: 'overlap_seconds',
          label: 'Overlap',
          type: 'select',
          value: '86400',
          options: overlaps,
          hint: 'For how long the previous version is still accepted.',
        },
        {
          name: 'expires_in_days',
          label: 'New expiry of the key (days from now)',
          type: 'number',
          value: '',
          hint: 'Empty: its expiry stays.',
        },
      ],
      button: 'Rotate key',
      danger: false,
    };
  },
  perform: async (context, sent) => {
    const before = await getKeyOf(context);
    const days = sent.number('expires_in_days');
    const rotated = await context.keys.rotate(before.id, {
      overlap_seconds: sent.number('overlap_seconds'),
      ...(days !== undefined && { expires_in_days: days }),
    });
    return madeKey(context, before, { key: rotated.key, words: timesOf(rotated, shortOf(before)) });
  },
};

/** When the previous version and the key expire. */
function timesOf({ previous_expires_at, expires_at, expiry_extended }: RotatedKey, before: string): string[] {
  const longer = expiry_extended ? ', later than before' : '';
  return [
    `The previous version, ${before}, is accepted until ${exactTime(previous_expires_at)}.`,
    expires_at
      ? `The new version is active now, until the key expires on ${exactTime(expires_at)}${longer}.`
      : 'The new version is active now, and the key never expires.',
  ];
}

/** Which of its versions are refused, and whose requests. */
function revoked({ deps, isOwn }: KeyContext, key: Key, when: string): Impact[] {
  const now = deps.now();
  const live = key.versions.filter((version) => isLiveVersion(version, now));
  if (key.state === 'expired' || live.length === 0) return [];
  const used = key.last_used_at ? `last used ${relativeTime(key.last_used_at, now)}` : 'never used';
  const who = isOwn ? 'your programs call' : `${key.owner.name} calls`;
  return [
    {
      text: `${counted(live.length, 'version')} of this key: ${live.map((each) => shortOf({ versions: [each] })).join(', ')}`,
      words: `${who} APIs with it in ${key.environment}, ${used}; ${when}`,
    },
  ];
}

/** Whose requests an action interrupts. */
function usedWords({ deps, isOwn }: KeyContext, key: Key): string[] {
  if (!key.last_used_at) return ['It was never used.'];
  const who = isOwn ? 'A program of yours' : key.owner.name;
  return [`${who} last used it ${relativeTime(key.last_used_at, deps.now())}, in ${key.environment}.`];
}

const disabling: Action<KeyContext> = {
  path: '/:key_id/disable',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Disable ${key.name}?`,
      words: ['Requests with the key are refused until you enable it again.', ...usedWords(context, key)],
      impact: [],
      fields: [],
      button: 'Disable 1 key',
      danger: true,
    };
  },
  perform: async ({ keys, pathOf, params: { key_id = '' } }) => {
    await keys.disable(key_id);
    return { to: pathOf(key_id), done: 'key-disabled' };
  },
};

const enabling: Action<KeyContext> = {
  path: '/:key_id/enable',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Enable ${key.name}?`,
      words: ['Its versions that have not expired are accepted again now.'],
      impact: [],
      fields: [],
      button: 'Enable 1 key',
      danger: false,
    };
  },
  perform: async ({ keys, pathOf, params: { key_id = '' } }) => {
    await keys.enable(key_id);
    return { to: pathOf(key_id), done: 'key-enabled' };
  },
};

const revoking: Action<KeyContext> = {
  path: '/:key_id/revoke',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    return {
      ...framed,
      heading: `Revoke ${key.name}?`,
      words: ['Requests with the key are refused from now on. This cannot be undone.'],
      impact: revoked(context, key, 'refused now, for good'),
      fields: [],
      button: 'Revoke 1 key',
      danger: true,
    };
  },
  perform: async ({ keys, pathOf, params: { key_id = '' } }) => {
    await keys.revoke(key_id);
    return { to: pathOf(key_id), done: 'key-revoked' };
  },
};

/** The actions on a key that exists. */
export const keyActions: Readonly<Record<KeyVerb, Action<KeyContext>>> = {
  change: changing,
  rotate: rotating,
  disable: disabling,
  enable: enabling,
  revoke: revoking,
};
