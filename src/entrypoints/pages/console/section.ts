import type { PagesDeps } from '../pages.ts';
import type { Action } from './actions.ts';
import type { List } from './lists.ts';
import type { NavItem } from './page-data.ts';
import type { RequestContext } from './request-context.ts';

/** A section of the console: its item in the sidebar, the permission that shows it, and its pages. Each noun exports one. */
export type ConsoleSection = NavItem & {
  /** The section is visible only with it. */
  permission: string;
  /** The page at the section's own address: a list of records, or another page. */
  main: { list: (deps: PagesDeps) => List } | { page: (context: RequestContext) => Promise<void> };
  /** Pages of one record, by their path below `/console`, such as `/clients/:client_id`. */
  details?: Readonly<Record<string, (context: RequestContext) => Promise<void>>>;
  actions?: readonly Action[];
};
