/** Audit: records actions with actor, origin and outcome in the transaction of the action, and seals them in a signed chain. */

export { type AuditAction, auditActions, earlierNames, presentName } from './actions.ts';
export type { ChainEvent } from './chain.ts';
export { changesBetween } from './changes.ts';
export { erasePersonalDetails } from './erasure.ts';
export type { EventFilter } from './event-conditions.ts';
export { type AuditEvent, appendEvent, auditRows, type EventMembers, eventColumns, eventMembers } from './events.ts';
export { exportAudit } from './export.ts';
export { eventsSince, newestToFollow } from './following.ts';
export { detailsOfAction, findHead, knownEvents, type LogEnds, logEnds } from './known-log.ts';
export { findEvent, listEvents, listEventsOf, type RecordedEvent } from './list-store.ts';
export type { PersonalDetails } from './personal-details.ts';
export { type ActorOfVersion, type ActorsOfVersions, actorsOfVersions } from './reader-store.ts';
export { Refusals, type RefusalsDeps } from './refusals.ts';
export { countPrunable, type Removed, type RetentionDeps, removeSegmentsBefore } from './retention.ts';
export { auditRoutes } from './routes.ts';
export { EventView } from './schemas.ts';
export { publicKeyOf, type SealKey, sealKeys } from './seal-keys.ts';
export { chainHead, type SealedEvent, type SealedSegment, sealedAfter } from './sealed-events.ts';
export { Sealer, type SealerDeps } from './sealer.ts';
export type { ChainHead } from './sealing.ts';
export type { AuditRows } from './store.ts';
export type { AuditFault, NotedHead, PublicKeys } from './verifier.ts';
export { type Verified, type VerifyInput, verifyAudit } from './verify.ts';
export { type VerifiedFile, verifyExport } from './verify-export.ts';
export { verifyMessages } from './verify-messages.ts';
