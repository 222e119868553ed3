import type { Context } from 'koa';
import { one } from '../signed-in.ts';
import { addressOf } from './lists.ts';
import type { Tab } from './page-shapes.ts';

/** The tabs of a record's page, the first of them at the record's own address, and the selected one. */
export function tabsIn<K extends string>(
  ctx: Context,
  path: string,
  labels: Readonly<Record<K, string>>,
): { current: K; tabs: Tab[] } {
  const keys = Object.keys(labels) as K[];
  const asked = one(ctx.query.tab);
  const current = keys.find((key) => key === asked) ?? (keys[0] as K);
  const tabs = keys.map((key, n) => ({
    label: labels[key],
    href: addressOf(path, n === 0 ? {} : { tab: key }),
    is_current: key === current,
  }));
  return { current, tabs };
}
