import type { Db } from '../../platform/database/index.ts';
import { routesWith, searchPageOf } from '../../platform/http/index.ts';
import { AccessRecordsQuery, AccessRecordView } from './schemas.ts';
import { listAccessRecords } from './store.ts';

const route = routesWith<{ db: Db }>();

/** Records of the use of credentials. */
export const accessRecordRoutes = [
  route({
    method: 'GET',
    path: '/access-records',
    summary: 'List access records: the uses of credentials, with caller and result',
    permission: 'latchkey:audit:read',
    query: AccessRecordsQuery,
    response: searchPageOf(AccessRecordView),
    handle: ({ query }, deps) => listAccessRecords(deps.db, query),
  }),
];
