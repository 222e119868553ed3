import type { ActionPage, DetailPage, ListPage, MadePage } from '../records/page-shapes.ts';

/** An item of the sidebar: `section` is its path below `/console`, `icon` a symbol of `views/console/icons.eta`. */
export type NavItem = { section: string; label: string; group?: NavGroup; icon: string };

/** The headings of the sidebar. */
export type NavGroup = 'Identity' | 'Applications' | 'Observe' | 'System';

type ConsoleHomePage = { name: string; roles: readonly string[] };

/** Every page of the console, and what it needs. */
export type ConsolePages = {
  'console-home': ConsoleHomePage;
  'console-list': ListPage;
  'console-detail': DetailPage;
  'console-action': ActionPage;
  'console-made': MadePage;
};
