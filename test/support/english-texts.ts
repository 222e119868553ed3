import type { Page } from './user-agent.ts';

const englishWords =
  /\b(?:the|of|is|are|be|your|you|and|to|with|this|that|for|not|no|none|never|any|every|from|by|it|or|at|has|have|when|which|only|other|last|used|key|keys|active|expires?|expired|search|page|day|days|name of|on)\b/i;

/** The visible or spoken texts on a page that contain an English word. @param names the names of data on the page */
export function englishOn({ url, html }: Page, names: readonly string[]): { url: string; text: string }[] {
  const body = (/<body[\s\S]*<\/body>/.exec(html)?.[0] ?? '')
    .replaceAll(/<(code|pre|textarea|script)\b[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<(\w+)[^>]* lang="en"[\s\S]*?<\/\1>/g, '');
  const title = /<title>([^<]*)/.exec(html)?.[1] ?? '';
  const attributes = [...body.matchAll(/ (?:aria-label|title|placeholder|alt|data-label|data-copied)="([^"]*)"/g)];
  const texts = [title, ...attributes.map(([, text = '']) => text), ...body.split(/<[^>]*>/)];
  const said = texts.map((text) => names.reduce((rest, name) => rest.replaceAll(name, ''), text).trim());
  return [...new Set(said)].filter((text) => englishWords.test(text)).map((text) => ({ url, text }));
}
