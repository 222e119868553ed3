import type { Config } from '../../config.ts';
import { type Asset, asset } from './assets.ts';

/** The installation's branding on pages. */
export type Brand = {
  name: string;
  /** The stylesheet of the colours, if they are not the default ones. */
  stylesheet?: string | undefined;
  /** The address of the logo, if there is one. */
  logo?: string | undefined;
};

type BrandSettings = Pick<Config, 'brandName' | 'brandAccent' | 'brandLogo'>;
type Branding = { brand: Brand; assets: readonly Asset[] };

const known = new WeakMap<BrandSettings, Branding>();

/** The brand of an installation, with its files beside those of the pages; created once for a configuration. */
export function brandingOf(settings: BrandSettings): Branding {
  const made = known.get(settings) ?? openBranding(settings);
  known.set(settings, made);
  return made;
}

function openBranding({ brandName: name, brandAccent, brandLogo }: BrandSettings): Branding {
  const stylesheet = brandAccent && asset('brand.css', 'text/css; charset=utf-8', Buffer.from(colours(brandAccent)));
  const extension = brandLogo?.content_type.split('/')[1];
  const logo = brandLogo && asset(`logo.${extension}`, brandLogo.content_type, brandLogo.bytes);
  return {
    brand: { name, stylesheet: stylesheet?.path, logo: logo?.path },
    assets: [stylesheet, logo].filter((each) => each !== undefined),
  };
}

function colours({ light, on_light, dark, on_dark }: NonNullable<BrandSettings['brandAccent']>): string {
  return [
    `:root { --accent: ${light}; --on-accent: ${on_light}; }`,
    `@media (prefers-color-scheme: dark) { :root { --accent: ${dark}; --on-accent: ${on_dark}; } }\n`,
  ].join('\n');
}
