import { Problem } from '../../../platform/http/index.ts';
import { en } from '../languages/en.ts';

/** A link that was used or has expired. */
export function linkClosed(): Problem {
  return new Problem(404, 'link_closed', {
    title: en.error.link,
    detail: en.error.linkNote,
  });
}
