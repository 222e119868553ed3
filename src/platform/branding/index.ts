/** Branding: readable colours, and files that contain only an image. */
export { type Accent, accentOf } from './accent.ts';
export { type RecognisedImage, recogniseImage } from './image.ts';
export { type Logo, readLogo } from './logo-file.ts';
