import type Router from '@koa/router';
import type { Context } from 'koa';
import { notFound } from '../../../platform/http/index.ts';
import { Markup } from '../languages/markup.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, show } from '../pages.ts';
import { one } from '../signed-in.ts';
import { type DocFile, docFiles, linkedAddress, readDoc, readImage } from './doc-files.ts';
import { type RenderedDoc, renderMarkdown } from './markdown.ts';
import { searchSections, searchText } from './search.ts';

/** The docs of this version, with the address of this installation in their examples. They are the same for everyone. */
export function docsRoutes(router: Router, deps: PagesDeps): void {
  if (!deps.config.docs) return;
  const files = docFiles();
  const rendered = new Map<string, Promise<RenderedDoc>>();
  const serve = async (ctx: Context) => {
    const doc = files.get(ctx.path);
    if (!doc) throw notFound('page of the docs', ctx.path.slice(0, 64));
    if (doc.type === 'page') await showDoc(deps, ctx, { doc, files, rendered });
    else await sendImage(ctx, doc);
  };
  router.get(pagePaths.docs, serve);
  router.get(pagePaths.docsSearch, (ctx) => showFound(deps, ctx, { files, rendered }));
  router.get(`${pagePaths.docs}/:page`, serve);
  router.get(`${pagePaths.docs}/:folder/:page`, serve);
}

type Served = { files: ReadonlyMap<string, DocFile>; rendered: Map<string, Promise<RenderedDoc>> };
type Showing = Served & { doc: DocFile };

async function showDoc(deps: PagesDeps, ctx: Context, showing: Showing): Promise<void> {
  const { doc } = showing;
  const { title, html, headings } = await renderedDoc(deps, showing);
  show(deps, ctx, 'docs-page', { title, content: new Markup(html), headings, is_first: doc.path === pagePaths.docs });
}

function renderedDoc(deps: PagesDeps, { doc, files, rendered }: Showing): Promise<RenderedDoc> {
  const rendering = rendered.get(doc.path) ?? render(deps, { doc, files });
  rendered.set(doc.path, rendering);
  // A file that could not be read is tried again at the next request.
  rendering.catch(() => rendered.delete(doc.path));
  return rendering;
}

/** The sections of all pages that contain a text. */
async function showFound(deps: PagesDeps, ctx: Context, served: Served): Promise<void> {
  const q = searchText(one(ctx.query.q));
  const sections: Parameters<typeof searchSections>[0][number][] = [];
  // One after the other, so that the first search of a process does not delay other requests.
  for (const doc of served.files.values()) {
    if (q === '' || doc.type !== 'page') continue;
    const { title, sections: ofPage } = await renderedDoc(deps, { ...served, doc });
    sections.push(...ofPage.map((section) => ({ ...section, path: doc.path, page: title })));
  }
  show(deps, ctx, 'docs-search', { q, found: searchSections(sections, q) });
}

async function render({ issuer }: PagesDeps, { doc, files }: Pick<Showing, 'doc' | 'files'>): Promise<RenderedDoc> {
  return renderMarkdown(await readDoc(doc, issuer), (href) => linkedAddress(files, doc, href));
}

async function sendImage(ctx: Context, doc: DocFile): Promise<void> {
  ctx.type = doc.type;
  ctx.set('Cache-Control', 'public, max-age=3600');
  ctx.body = await readImage(doc);
}
