/** Branding: colours that can be read, and images that are nothing but images. */
export { type Accent, accentOf } from './accent.ts';
export { type RecognisedImage, recogniseImage } from './image.ts';
export { type Logo, readLogo } from './logo-file.ts';
