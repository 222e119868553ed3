import { auditActions, earlierNames, presentName, type SealedEvent, type SealedSegment } from '../audit/index.ts';

/** A message to a receiver: an event, or a sealed segment. Its id is the same for every attempt and node. */
export type Message = { id: string; type: string; timestamp: Date; data: Record<string, unknown> };

/** A message with its place in the log. */
export type PlacedMessage = Message & { segment: number; ordinal: number };

/** The type of a segment's own message, which carries its signed head. */
const sealedType = 'audit.sealed';

/** The type of test messages. */
export const testType = 'webhook.test';

/** The events of a segment in order, followed by its head. */
export function messagesOf({ segment, size, events }: SealedSegment): PlacedMessage[] {
  const { number, sealed_at } = segment;
  const head = {
    id: `segment-${number}`,
    type: sealedType,
    timestamp: sealed_at,
    data: { ...segment, size },
    segment: number,
    ordinal: size,
  };
  return [...events.map((event) => eventMessage(number, event)), head];
}

function eventMessage(segment: number, { event, ordinal, personal_details }: SealedEvent): PlacedMessage {
  const { details, ...told } = event;
  const { address = null, user_agent = null } = personal_details ?? {};
  return {
    id: event.id,
    type: presentName(event.action),
    timestamp: new Date(event.occurred_at),
    data: { ...told, address, user_agent, details: details === null ? null : JSON.parse(details), segment, ordinal },
    segment,
    ordinal,
  };
}

/** The body of a message. */
export function textOf({ type, timestamp, data }: Message): string {
  return JSON.stringify({ type, timestamp, data });
}

const types: readonly string[] = [...auditActions, ...Object.keys(earlierNames), sealedType];

/** Whether any type matches a pattern: a type, `*`, or the beginning of a type and `.*`. */
export function fitsSomething(pattern: string): boolean {
  return types.some((type) => fits(pattern, type));
}

/** Whether a receiver with these patterns receives this type. Test messages go to every receiver. */
export function isWanted(patterns: readonly string[], type: string): boolean {
  return type === testType || patterns.some((pattern) => fits(pattern, type));
}

function fits(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type || presentName(pattern) === type) return true;
  return pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1));
}
