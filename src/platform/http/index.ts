/** The first processing of every request: its origin, its limits, the host check, headers, and error responses. */

export { type Actor, type Authority, anonymous, type Limit, person, system } from './actor.ts';
export { AddressBuckets } from './address-buckets.ts';
export {
  addressGroups,
  canonicalAddress,
  isLoopbackName,
  isSafeForCredentials,
  NetworkSet,
  parseAddress,
  parseNetwork,
  unknownAddress,
} from './addresses.ts';
export { alignRequestsByTurn, endOfTurn } from './align-requests.ts';
export { cookiesBlocked, mustSendCookies } from './cookies.ts';
export {
  contentSecurityPolicy,
  type HostRules,
  headersForPrograms,
  hostRules,
  inOriginForm,
  judgeHost,
  mustNameServer,
  plainlyNames,
  requestIdFor,
  timesSent,
} from './edge.ts';
export { controlCharacters, form, readBody, readForm, readText, replaceForm } from './form-body.ts';
export {
  boundAccept,
  parseClientAddress,
  pinHost,
  refuseMalformedChain,
  securityHeaders,
} from './guards.ts';
export { IncomingRequest, type Origin, requestOrigin } from './incoming-request.ts';
export { parseJson, readJson } from './json-body.ts';
export { isJsonObject } from './json-object.ts';
export { pathAt, pointerTo } from './json-pointer.ts';
export { MergePatch, mergePatch, patchReplacing } from './merge-patch.ts';
export type { ObservedAnswer } from './observed-answer.ts';
export { cursorAt, type Place, PlainText, pageFrom, type Start, startIn } from './paging.ts';
export {
  conflict,
  forbidden,
  invalid,
  letOriginsRead,
  methodNotAllowed,
  mustBeAt,
  notFound,
  Problem,
  type ProblemPage,
  problemFor,
  problemJson,
  problems,
  problemType,
  tooMany,
  unavailable,
  withdrawAnswer,
} from './problems.ts';
export { clientAddress, type EdgeRules, malformedChain } from './proxy-trust.ts';
export { type EarlyAnswer, RepeatedAnswers } from './repeated-answers.ts';
export { originOf, rememberOrigin } from './request-origin.ts';
export {
  type Answered,
  type CallInput,
  inProcess,
  RouteClient,
  type RouteName,
  routeTable,
  type Transport,
} from './route-client.ts';
export {
  alsoAs,
  emptyPage,
  Flag,
  JsonLines,
  type Method,
  type Page,
  PageQuery,
  pageOf,
  pageWith,
  previousExpiry,
  type Route,
  type RouteShape,
  routesWith,
  type SearchPage,
  searchPageOf,
  Timestamp,
  wireSchema,
  wordsOf,
} from './routes.ts';
export { isReference, type SecretReference, SecretText } from './secret-text.ts';
export { type Answer, type Call, checked, entityTag, sendLines, serve } from './serve-routes.ts';
export { asEscape, isPrintable, isSeen, notSeen, ShownText, untwisted } from './shown-text.ts';
export { issuesIn, validationWords } from './validation-words.ts';
