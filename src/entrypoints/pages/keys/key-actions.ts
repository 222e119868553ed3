import { isLiveVersion } from '../../../domain/api-keys/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { Action } from '../records/actions.ts';
import { overlapsIn } from '../records/overlaps.ts';
import type { Impact } from '../records/page-shapes.ts';
import { exactTime, relativeTime } from '../times.ts';
import { changing } from './changing.ts';
import { frame, madeKey } from './frame.ts';
import { getKeyOf, type Key, type KeyContext, type KeyVerb, type RotatedKey, shortOf } from './key-context.ts';

const rotating: Action<KeyContext> = {
  path: '/:key_id/rotate',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    const { texts } = context;
    const t = texts.keys;
    return {
      ...framed,
      heading: t.rotating({ key: key.name }),
      words: [t.rotateNote, key.expires_at ? t.expiresOn({ time: exactTime(key.expires_at, texts) }) : t.neverExpires],
      impact: revoked(context, key, t.refusedLater),
      fields: [
        {
          name: 'overlap_seconds',
          label: t.overlap,
          type: 'select',
          value: '86400',
          options: overlapsIn(texts),
          hint: t.overlapHint,
        },
        {
          name: 'expires_in_days',
          label: t.newExpiry,
          type: 'number',
          value: '',
          hint: t.newExpiryHint,
        },
      ],
      button: t.rotateSubmit,
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
    return madeKey(context, before, { key: rotated.key, words: timesOf(context.texts, rotated, shortOf(before)) });
  },
};

/** When the previous version and the key expire. */
function timesOf(
  texts: Catalogue,
  { previous_expires_at, expires_at, expiry_extended }: RotatedKey,
  version: string,
): string[] {
  const t = texts.keys;
  const until = expiry_extended ? t.newUntilLater : t.newUntil;
  return [
    t.previousUntil({ version, time: exactTime(previous_expires_at, texts) }),
    expires_at ? until({ time: exactTime(expires_at, texts) }) : t.newForEver,
  ];
}

/** Which of its versions are refused, and the effect on callers. */
function revoked({ deps, isOwn, texts }: KeyContext, key: Key, refused: Catalogue['keys']['refusedNow']): Impact[] {
  const t = texts.keys;
  const now = deps.now();
  const live = key.versions.filter((version) => isLiveVersion(version, now));
  if (key.state === 'expired' || live.length === 0) return [];
  const { environment, owner, last_used_at } = key;
  const used = last_used_at ? t.used({ time: relativeTime(last_used_at, now, texts) }) : t.neverUsed;
  const use = isOwn ? t.usedByYou({ environment, used }) : t.usedByOwner({ owner: owner.name, environment, used });
  const versions = live.map((each) => shortOf({ versions: [each] })).join(', ');
  return [{ text: t.ofVersions({ count: live.length, versions }), words: refused({ use }) }];
}

/** The callers that an action interrupts. */
function usedWords({ deps, isOwn, texts }: KeyContext, { last_used_at, environment, owner }: Key): string[] {
  const t = texts.keys;
  if (!last_used_at) return [t.wasNeverUsed];
  const time = relativeTime(last_used_at, deps.now(), texts);
  return [isOwn ? t.lastUsedByYou({ time, environment }) : t.lastUsedByOwner({ owner: owner.name, time, environment })];
}

const disabling: Action<KeyContext> = {
  path: '/:key_id/disable',
  describe: async (context) => {
    const { key, ...framed } = await frame(context);
    const t = context.texts.keys;
    return {
      ...framed,
      heading: t.disabling({ key: key.name }),
      words: [t.disableNote, ...usedWords(context, key)],
      impact: [],
      fields: [],
      button: t.disableSubmit,
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
    const t = context.texts.keys;
    return {
      ...framed,
      heading: t.enabling({ key: key.name }),
      words: [t.enableNote],
      impact: [],
      fields: [],
      button: t.enableSubmit,
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
    const t = context.texts.keys;
    return {
      ...framed,
      heading: t.revoking({ key: key.name }),
      words: [t.revokeNote],
      impact: revoked(context, key, t.refusedNow),
      fields: [],
      button: t.revokeSubmit,
      danger: true,
    };
  },
  perform: async ({ keys, pathOf, params: { key_id = '' } }) => {
    await keys.revoke(key_id);
    return { to: pathOf(key_id), done: 'key-revoked' };
  },
};

/** The actions on an existing key. */
export const keyActions: Readonly<Record<KeyVerb, Action<KeyContext>>> = {
  change: changing,
  rotate: rotating,
  disable: disabling,
  enable: enabling,
  revoke: revoking,
};
