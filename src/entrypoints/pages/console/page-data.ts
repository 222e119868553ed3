import type { ActPage, DetailPage, ListPage, MadePage } from '../records/page-shapes.ts';

/** The parts of the console, in the order of its navigation. */
export type Section =
  | 'clients'
  | 'apis'
  | 'api-keys'
  | 'people'
  | 'roles'
  | 'consents'
  | 'grants'
  | 'signing-keys'
  | 'audit-log';

export type NavItem = { section: Section; label: string; href: string; words: string };

/** Where in the console a page is. */
export type Placed = { section: Section };

type ConsoleHomePage = { name: string; roles: readonly string[] };

/** Every page of the console, and what it needs. */
export type ConsolePages = {
  'console-home': ConsoleHomePage;
  'console-list': ListPage & Placed;
  'console-detail': DetailPage & Placed;
  'console-act': ActPage & Placed;
  'console-made': MadePage & Placed;
};
