import type { z } from 'zod';
import { isLiveVersion, RotatedKeyView } from '../../api-keys/index.ts';
import { exactTime, relativeTime } from '../times.ts';
import { counted } from '../words.ts';
import type { Act } from './acts.ts';
import { getKeyOf, type Key, keyPath, shortOf } from './api-keys.ts';
import type { Death } from './console-pages.ts';
import { keyForms } from './key-forms.ts';
import { frame, madeKey } from './key-frame.ts';
import { overlaps } from './overlaps.ts';

const rotating: Act = {
  path: '/api-keys/:key_id/rotate',
  does: 'POST /api-keys/{key_id}/rotate',
  isGrave: true,
  ask: async (place) => {
    const { key, ...framed } = await frame(place);
    return {
      ...framed,
      heading: 'Rotate',
      words: [
        'You see the new text once, on the next page. Roll it out before the present one ends.',
        `The key as a whole ${key.expires_at ? `ends on ${exactTime(key.expires_at)}` : 'has no end'}, unless you say otherwise here.`,
      ],
      deaths: dying(key, place.deps.now(), 'when the overlap is over'),
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
  perform: async (place, sent) => {
    const before = await getKeyOf(place);
    const days = sent.number('expires_in_days');
    const rotated = await place.calls.read('POST /api-keys/{key_id}/rotate', RotatedKeyView, {
      params: { key_id: before.id },
      body: { overlap_seconds: sent.number('overlap_seconds'), ...(days !== undefined && { expires_in_days: days }) },
    });
    return madeKey(place, before, { key: rotated.key, words: timesOf(rotated, shortOf(before)) });
  },
};

type Rotated = Pick<z.output<typeof RotatedKeyView>, 'previous_ends_at' | 'expires_at' | 'expiry_extended'>;

/** Both ends: of the text from before, and of the key. */
function timesOf({ previous_ends_at, expires_at, expiry_extended }: Rotated, before: string): string[] {
  const longer = expiry_extended ? ', later than before' : '';
  return [
    `The text from before, ${before}, works until ${exactTime(previous_ends_at)}.`,
    expires_at
      ? `The new one works at once, until the key ends on ${exactTime(expires_at)}${longer}.`
      : 'The new one works at once, and the key has no end.',
  ];
}

/** Which of its texts stop working, and whom that hits. */
function dying(key: Key, now: Date, when: string): Death[] {
  const live = key.versions.filter((version) => isLiveVersion(version, now));
  if (key.state === 'expired' || live.length === 0) return [];
  const used = key.last_used_at ? `last used ${relativeTime(key.last_used_at, now)}` : 'never used';
  return [
    {
      text: `${counted(live.length, 'text')} of this key: ${live.map((each) => shortOf({ versions: [each] })).join(', ')}`,
      words: `with which ${key.owner.name} calls APIs in ${key.environment}, ${used}; ${when}`,
    },
  ];
}

const disabling: Act = {
  path: '/api-keys/:key_id/disable',
  does: 'POST /api-keys/{key_id}/disable',
  isGrave: true,
  ask: async (place) => {
    const { key, ...framed } = await frame(place);
    return {
      ...framed,
      heading: 'Disable',
      words: [
        `Whoever calls APIs with it for ${key.owner.name} is refused, until it is enabled again. Nothing of it is lost.`,
      ],
      deaths: dying(key, place.deps.now(), 'at once, until it is enabled again'),
      fields: [],
      button: `Disable ${key.name}`,
      danger: true,
    };
  },
  perform: async ({ calls, params: { key_id = '' } }) => {
    await calls.act('POST /api-keys/{key_id}/disable', { params: { key_id } });
    return { to: keyPath(key_id), done: 'key-disabled' };
  },
};

const enabling: Act = {
  path: '/api-keys/:key_id/enable',
  does: 'POST /api-keys/{key_id}/enable',
  isGrave: false,
  ask: async (place) => {
    const { key, ...framed } = await frame(place);
    return {
      ...framed,
      heading: 'Enable',
      words: ['It works again at once, with the texts that it had, as far as they have not ended.'],
      deaths: [],
      fields: [],
      button: `Enable ${key.name}`,
      danger: false,
    };
  },
  perform: async ({ calls, params: { key_id = '' } }) => {
    await calls.act('POST /api-keys/{key_id}/enable', { params: { key_id } });
    return { to: keyPath(key_id), done: 'key-enabled' };
  },
};

const revoking: Act = {
  path: '/api-keys/:key_id/revoke',
  does: 'POST /api-keys/{key_id}/revoke',
  isGrave: true,
  ask: async (place) => {
    const { key, ...framed } = await frame(place);
    return {
      ...framed,
      heading: 'Revoke',
      words: [
        `Whoever calls APIs with it for ${key.owner.name} is refused from now on. This cannot be undone; another key can be minted.`,
      ],
      deaths: dying(key, place.deps.now(), 'at once, for good'),
      fields: [],
      button: 'Revoke 1 key',
      danger: true,
    };
  },
  perform: async ({ calls, params: { key_id = '' } }) => {
    await calls.act('POST /api-keys/{key_id}/revoke', { params: { key_id } });
    return { to: keyPath(key_id), done: 'key-revoked' };
  },
};

/** What can be done with API keys. */
export const keyActs: Act[] = [...keyForms, rotating, disabling, enabling, revoking];
