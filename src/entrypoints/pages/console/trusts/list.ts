import * as cell from '../../records/cells.ts';
import { enabledFilter } from '../../records/filters.ts';
import type { List } from '../lists.ts';
import { trustPath } from './trust.ts';

export const trustList: List = {
  heading: 'Trusts',
  intro: 'Issuers whose tokens are accepted, so that workloads need no registration and no secret.',
  noun: 'trust',
  icon: 'trust',
  columns: [
    { label: 'Name', sort: 'name' },
    { label: 'Issuer', sort: 'issuer' },
    { label: 'State' },
    { label: 'Created', sort: '-created_at' },
  ],
  sort: 'name',
  search: 'Name or issuer',
  filters: [enabledFilter],
  empty: {
    heading: 'No trusts yet',
    words:
      'A trust accepts the tokens of a platform, such as Kubernetes, GitHub Actions or GitLab. Create one to let its workloads get access tokens, or add an identity provider that users sign in with.',
  },
  actions: [
    { route: 'POST /trusts', label: 'Create trust', href: '/console/new-trust', danger: false },
    {
      ...{ route: 'POST /trusts', label: 'Add identity provider', href: '/console/new-identity-provider' },
      ...{ danger: false, isPlain: true as const },
    },
  ],
  read: async ({ api }, query) => {
    const { items, ...page } = await api.call('GET /trusts', { query });
    const rows = items.map(({ id, name, issuer, enabled, created_at }) => [
      cell.link(name, trustPath(id)),
      cell.code(issuer),
      cell.enabled(enabled),
      cell.time(created_at),
    ]);
    return { rows, ...page };
  },
};
