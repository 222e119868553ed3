import type { PagesDeps } from '../pages.ts';
import type { Action } from './actions.ts';
import type { List } from './lists.ts';
import type { NavItem } from './page-data.ts';
import type { RequestContext } from './request-context.ts';

/** A part of the console: its navigation item, the permission that shows it, and its pages. Each noun exports one. */
export type ConsoleSection = NavItem & {
  /** Only those who hold it see the section. */
  permission: string;
  /** What is listed at the section's address. */
  list: (deps: PagesDeps) => List;
  /** Pages of one record, by their path below `/console`, such as `/clients/:client_id`. */
  details?: Readonly<Record<string, (context: RequestContext) => Promise<void>>>;
  actions?: readonly Action[];
};
