import type { ActionPage, Cell, DetailPage, ListPage, MadePage, Panel } from '../records/page-shapes.ts';
import type { OverviewPage } from './overview/page-data.ts';

/** An item of the sidebar: `section` is its path below `/console`, `icon` a symbol of `views/console/icons.eta`. */
export type NavItem = { section: string; label: string; group?: NavGroup; icon: string };

/** The headings of the sidebar. */
export type NavGroup = 'Applications' | 'Identity' | 'Credentials' | 'Activity' | 'Server';

/** A question about access, and its answer; `problem`: why there is no answer. */
type ExplainAccessPage = {
  crumb: { text: string; href: string };
  asked: { kind: string; subject: string; resource: string; permission: string };
  apis: readonly string[];
  subjects: readonly string[];
  answer: { badge: Cell; because: string } | undefined;
  problem: string | undefined;
};

/** The results of a search, by kind; `all`: the list of all matches. */
type SearchPage = {
  q: string;
  groups: readonly { heading: string; rows: readonly (readonly Cell[])[]; all: string | undefined }[];
};

/** The pages of the console, and the data of each. */
export type ConsolePages = {
  'console-home': OverviewPage;
  'console-list': ListPage;
  'console-detail': DetailPage;
  'console-action': ActionPage;
  'console-made': MadePage;
  'console-explain-access': ExplainAccessPage;
  'console-search': SearchPage;
  'console-settings': { panels: readonly Panel[]; notice: string | undefined };
};
