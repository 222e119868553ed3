import type { MarkdownIt, Token } from 'markdown-it';
import { en } from '../languages/en.ts';

// Loaded at the first request: neither a start nor a command waits for it.
let loaded: Promise<MarkdownIt> | undefined;

/** A page of the docs as HTML, and its text for the search. */
export type RenderedDoc = {
  title: string;
  html: string;
  headings: { id: string; text: string }[];
  sections: DocSection[];
};

/** A heading, and the text up to the next one. */
export type DocSection = { id: string; heading: string; text: string; lower_case: string };

/**
 * Markdown as HTML. Raw HTML in it is shown as text and dangerous addresses are no links, so that the result is safe for any input; nothing
 * has an inline style, which the content security policy would refuse.
 *
 * @param addressOf the target of a relative link; undefined: its target is not served, and the words stay without a link
 */
export async function renderMarkdown(source: string, addressOf: AddressOf): Promise<RenderedDoc> {
  loaded ??= import('markdown-it').then(({ default: Renderer }) => withRules(new Renderer({ html: false })));
  const markdown = await loaded;
  const tokens = markdown.parse(source, {});
  const headings = identified(tokens);
  for (const { children } of tokens) redirected(children ?? [], addressOf);
  for (const [n, token] of tokens.entries()) adapted(token, [tokens[n - 1], tokens[n + 1]]);
  const [title] = headings;
  const sections = sectionsOf(tokens, headings);
  return {
    title: title?.text ?? '',
    html: markdown.renderer.render(tokens, markdown.options, {}),
    headings: headings.filter(({ level }) => level === 'h2'),
    sections,
  };
}

/** The sections of a page, in the order of its headings. */
function sectionsOf(tokens: readonly Token[], headings: readonly { id: string; text: string }[]): DocSection[] {
  const texts = headings.map((): string[] => []);
  let nth = -1;
  for (const [n, token] of tokens.entries()) {
    if (token.type === 'heading_open') nth += 1;
    else if (tokens[n - 1]?.type !== 'heading_open') texts[nth]?.push(textIn(token));
  }
  return headings.map(({ id, text: heading }, n) => {
    const text = (texts[n] ?? []).join(' ').replaceAll(/\s+/g, ' ').trim();
    return { id, heading, text, lower_case: text.toLowerCase() };
  });
}

function textIn({ type, content, children }: Token): string {
  if (type === 'inline')
    return (children ?? []).map((child) => (child.type === 'softbreak' ? ' ' : child.content)).join('');
  return type === 'fence' ? content : '';
}

/** Gives headings the ids that GitHub uses, so that links to a part of a page work. */
function identified(tokens: readonly Token[]): { id: string; text: string; level: string }[] {
  return tokens.flatMap((token, n) => {
    if (token.type !== 'heading_open') return [];
    const text = (tokens[n + 1]?.children ?? []).map(({ content }) => content).join('');
    const id = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    token.attrSet('id', id);
    return [{ id, text, level: token.tag }];
  });
}

type AddressOf = (href: string) => string | undefined;

/** Rewrites links and images to this server's addresses. */
function redirected(tokens: readonly Token[], addressOf: AddressOf): void {
  let isLink = true;
  for (const token of tokens) {
    if (token.type === 'image') token.attrSet('src', addressIn(token, 'src', addressOf) ?? '');
    if (token.type === 'link_open') {
      const address = addressIn(token, 'href', addressOf);
      isLink = address !== undefined;
      token.attrs = isLink ? [['href', address ?? '']] : [];
    }
    if (!isLink && token.type.startsWith('link_')) token.tag = 'span';
  }
}

function addressIn(token: Token, name: 'href' | 'src', addressOf: AddressOf): string | undefined {
  const target = String(token.attrGet(name) ?? '');
  return /^https?:/.test(target) ? target : addressOf(target);
}

/** A column of figures has a class instead of a style, and an empty corner of a table is no heading. */
function adapted(token: Token, [before, after]: [Token | undefined, Token | undefined]): void {
  const text = token.type === 'th_open' ? after : before;
  if (token.type.startsWith('th_') && text?.content === '') token.tag = 'td';
  if (token.attrGet('style') === null) return;
  token.attrs = String(token.attrGet('style')).includes('right') ? [['class', 'number']] : [];
}

/** Makes code copyable, and tables and code scrollable with the keyboard on a narrow screen. */
function withRules(markdown: MarkdownIt): MarkdownIt {
  const { rules } = markdown.renderer;
  const { escapeHtml } = markdown.utils;
  const { copy, copied } = en.common;
  rules.fence = (tokens, index) => {
    const code = escapeHtml(tokens[index]?.content ?? '');
    const button = `<button type="button" class="link copy" data-copied="${copied}" hidden>${copy}</button>`;
    return `<div class="snippet"><pre tabindex="0"><code data-copy>${code}</code> ${button}</pre></div>\n`;
  };
  rules.table_open = () => '<div class="scroll" tabindex="0"><table>\n';
  rules.table_close = () => '</table></div>\n';
  return markdown;
}
