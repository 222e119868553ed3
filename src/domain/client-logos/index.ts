/** Client logos: copies of the images that clients name, fetched once and served from here. */
export { fetchClientLogos, maxLogoBytes } from './client-logos.ts';
export { findLogoDigest, findLogoDigests, findLogoImage, type LogoImage } from './store.ts';
