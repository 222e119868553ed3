import type { Db } from '../../platform/database/index.ts';
import { pageOf, type Route, route } from '../../platform/http/index.ts';
import { AccessRecordsQuery, AccessRecordView } from './schemas.ts';
import { listAccessRecords } from './store.ts';

/** Which credential was used where. */
export const accessRecordRoutes = (deps: { db: Db }): Route[] => [
  route({
    method: 'GET',
    path: '/access-records',
    summary: 'Which credential was used where, by whom, with what result; newest first',
    permission: 'latchkey:audit:read',
    query: AccessRecordsQuery,
    response: pageOf(AccessRecordView),
    handle: ({ query }) => listAccessRecords(deps.db, query),
  }),
];
