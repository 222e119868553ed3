import type { ActionPage, DetailPage, ListPage, MadePage } from '../records/page-shapes.ts';

/** An item of the navigation: `section` is its path below `/console`. */
export type NavItem = { section: string; label: string; words: string };

type ConsoleHomePage = { name: string; roles: readonly string[] };

/** Every page of the console, and what it needs. */
export type ConsolePages = {
  'console-home': ConsoleHomePage;
  'console-list': ListPage;
  'console-detail': DetailPage;
  'console-action': ActionPage;
  'console-made': MadePage;
};
