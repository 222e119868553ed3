import { isLiveVersion } from '../../../domain/api-keys/index.ts';
import type { Action } from '../records/actions.ts';
import { overlaps } from '../records/overlaps.ts';
import type { Impact } from '../records/page-shapes.ts';
import { exactTime, relativeTime } from '../times.ts';
import { counted } from '../words.ts';
import { changing } from './forms.ts';
import { frame, madeKey } from './frame.ts';
import { getKeyOf, type Key, type KeyContext, type KeyVerb, type RotatedKey, shortOf } from './key-context.ts';

const rotating: Action<KeyContext> = {
  path: '/:key_id/rotate',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    return {
      ...framed,
      heading: 'Rotate',
      words: [
        'You see the new text once, on the next page. Roll it out before the present one ends.',
        `The key as a whole ${key.expires_at ? `ends on ${exactTime(key.expires_at)}` : 'has no end'}, unless you say otherwise here.`,
      ],
      impact: ended(context, key, 'when the overlap is over'),
      fields: [
        {
          name: 'overlap_seconds',
          label: 'Overlap',
          type: 'select',
          value: '86400',
          options: overlaps,
          hint: 'For so long the present text still works.',
        },
        {
          name: 'expires_in_days',
          label: 'The key ends after days',
          type: 'number',
          value: '',
          hint: 'Left empty: its end stays.',
        },
      ],
      button: 'Make a new text',
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

/** Both ends: of the text from before, and of the key. */
function timesOf({ previous_expires_at, expires_at, expiry_extended }: RotatedKey, before: string): string[] {
  const longer = expiry_extended ? ', later than before' : '';
  return [
    `The text from before, ${before}, works until ${exactTime(previous_expires_at)}.`,
    expires_at
      ? `The new one works at once, until the key ends on ${exactTime(expires_at)}${longer}.`
      : 'The new one works at once, and the key has no end.',
  ];
}

/** Which of its texts stop working, and whom that hits. */
function ended({ deps, isOwn }: KeyContext, key: Key, when: string): Impact[] {
  const now = deps.now();
  const live = key.versions.filter((version) => isLiveVersion(version, now));
  if (key.state === 'expired' || live.length === 0) return [];
  const used = key.last_used_at ? `last used ${relativeTime(key.last_used_at, now)}` : 'never used';
  const who = isOwn ? 'your programs call' : `${key.owner.name} calls`;
  return [
    {
      text: `${counted(live.length, 'text')} of this key: ${live.map((each) => shortOf({ versions: [each] })).join(', ')}`,
      words: `with which ${who} APIs in ${key.environment}, ${used}; ${when}`,
    },
  ];
}

const whose = ({ isOwn }: KeyContext, { owner }: Key) => (isOwn ? 'you' : owner.name);

const disabling: Action<KeyContext> = {
  path: '/:key_id/disable',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    return {
      ...framed,
      heading: 'Disable',
      words: [
        `Whoever calls APIs with it for ${whose(context, key)} is refused, until it is enabled again. Nothing of it is lost.`,
      ],
      impact: ended(context, key, 'at once, until it is enabled again'),
      fields: [],
      button: `Disable ${key.name}`,
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
      heading: 'Enable',
      words: ['It works again at once, with the texts that it had, as far as they have not ended.'],
      impact: [],
      fields: [],
      button: `Enable ${key.name}`,
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
      heading: 'Revoke',
      words: [
        `Whoever calls APIs with it for ${whose(context, key)} is refused from now on. This cannot be undone; another key can be minted.`,
      ],
      impact: ended(context, key, 'at once, for good'),
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

/** What can be done with a key that there is. */
export const keyActions: Readonly<Record<KeyVerb, Action<KeyContext>>> = {
  change: changing,
  rotate: rotating,
  disable: disabling,
  enable: enabling,
  revoke: revoking,
};
