import type { IncomingMessage } from 'node:http';
import { controlCharacters, readText } from './form-body.ts';
import { pointerTo } from './json-pointer.ts';
import { Problem } from './problems.ts';

const mostDepth = 20;
const mostMembers = 1000;
// Halves of surrogate pairs, which UTF-8 cannot encode, and what a decoder puts in their place.
const invalidUnicode = /\p{Cs}|\ufffd/u;
const [quotationMark, backslash, colon] = [0x22, 0x5c, 0x3a];

export type JsonBounds = {
  /** The maximum size in bytes; undefined: 64 KiB. */
  bodyBytes?: number | undefined;
  /** The member whose texts may have control characters, because they are only stored, and sealed; names in it may not. */
  bodyOpaque?: string | undefined;
};

/**
 * The JSON body of a request; undefined when it has none.
 *
 * @throws Problem 415: it is something else; 400: it is not JSON, names a member twice or `__proto__`, or holds control
 *   characters (PostgreSQL refuses NUL, and nothing here has use for them)
 */
export async function readJson(request: IncomingMessage, { bodyBytes, bodyOpaque }: JsonBounds = {}): Promise<unknown> {
  const { 'content-type': type = '', 'content-length': length } = request.headers;
  const isJson = isJsonType(type);
  if (!isJson && length !== undefined && Number(length) > 0) throw unsupported();
  const text = await readText(request, bodyBytes);
  if (text === '') return undefined;
  // A chunked request shows only at its end whether it has a body.
  if (!isJson) throw unsupported();
  return parseJson(text, bodyOpaque);
}

function isJsonType(written: string): boolean {
  if (written === 'application/json') return true;
  const [type = ''] = written.split(';', 1);
  return ['application/json', 'application/merge-patch+json'].includes(type.trim().toLowerCase());
}

/**
 * A value from JSON.
 *
 * @throws Problem 400 as `readJson`
 */
export function parseJson(text: string, opaque?: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    // The names are checked only if one was lost: most bodies have no duplicates.
    if (membersOf(parsed, undefined, 0, { refused: controlCharacters, opaque }) !== colonsIn(text))
      refuseRepeated(text);
    return parsed;
  } catch (error) {
    throw error instanceof Problem ? error : badJson('', 'The body is not JSON.');
  }
}

/** The path of a value, from the innermost name outwards. */
type JsonMember = { name: string; within: JsonMember | undefined };

/** What texts may not contain, and the member with other texts. */
type Texts = { refused: RegExp; opaque?: string | undefined };
const ofOpaque: Texts = { refused: invalidUnicode };

/** How many members all objects in it have. @throws Problem 400: something in it is not allowed */
function membersOf(value: unknown, place: JsonMember | undefined, depth: number, texts: Texts): number {
  if (depth > mostDepth) throw badJson(pointerTo(pathOf(place)), 'The body is nested too deeply.');
  if (typeof value === 'string') mustBePlain(value, place, texts.refused);
  if (typeof value !== 'object' || value === null) return 0;
  const entries = Object.entries(value);
  if (entries.length > mostMembers)
    throw badJson(pointerTo(pathOf(place)), `An object or list may have at most ${mostMembers} members.`);
  let members = 0;
  for (const [name, member] of entries) {
    const here = { name, within: place };
    if (name === '__proto__') throw badJson(pointerTo(pathOf(here)), 'This member is unknown.');
    mustBePlain(name, here, controlCharacters);
    members +=
      membersOf(member, here, depth + 1, depth === 0 && name === texts.opaque ? ofOpaque : texts) +
      (Array.isArray(value) ? 0 : 1);
  }
  return members;
}

function mustBePlain(text: string, place: JsonMember | undefined, refused: RegExp): void {
  if (refused.test(text))
    throw badJson(pointerTo(pathOf(place)), 'Control characters and invalid Unicode are not accepted.');
}

function pathOf(place: JsonMember | undefined): string[] {
  return place ? [...pathOf(place.within), place.name] : [];
}

/** How many members the JSON text has: each has one colon outside of strings. A duplicate is parsed as one. */
function colonsIn(json: string): number {
  let colons = 0;
  let isText = false;
  for (let n = 0; n < json.length; n += 1) {
    const code = json.charCodeAt(n);
    if (code === quotationMark) isText = !isText;
    else if (isText && code === backslash) n += 1;
    else if (!isText && code === colon) colons += 1;
  }
  return colons;
}

// Valid JSON is searched for names only: strings one by one, with the object they belong to. RFC 8259 §4 leaves duplicate names open, and
// two parties on the path could read a different one each.
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

function refuseRepeated(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (const [part] of text.matchAll(token)) {
    if (part === '{') open.push(new Set());
    else if (part === '[') open.push(undefined);
    else if (part === '}' || part === ']') open.pop();
    else if (part === ':') note(open.at(-1), JSON.parse(last));
    last = part;
  }
}

function note(names: Set<string> | undefined, name: string): void {
  if (names?.has(name)) throw badJson(`/${name.slice(0, 64)}`, 'The body names this member twice.');
  names?.add(name);
}

function badJson(pointer: string, detail: string): Problem {
  return new Problem(400, 'invalid', { title: 'Invalid input', detail, ...(pointer && { pointer }) });
}

function unsupported(): Problem {
  return new Problem(415, 'unsupported_media_type', {
    title: 'Unsupported media type',
    detail: 'Send the body as application/json.',
  });
}
