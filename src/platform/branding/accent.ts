/** A colour as three numbers from 0 to 255. */
type Rgb = readonly [red: number, green: number, blue: number];

/** The accent colour on light and on dark pages, and the text on it. */
export type Accent = { light: string; on_light: string; dark: string; on_dark: string };

// The cards of latchkey.css; the accent is also written on a tint of itself (monograms, notices).
const lightCard: Rgb = [255, 255, 255];
const darkCard: Rgb = [23, 29, 37];
const white: Rgb = [255, 255, 255];
const black: Rgb = [0, 0, 0];
const tint = 0.13;
// Text of normal size (WCAG 2.2 §1.4.3).
const leastContrast = 4.5;

/**
 * The accent for both colour schemes from the one that an operator chose.
 *
 * @param hex `#rrggbb`
 * @returns the colours, or a sentence without its subject that says what is wrong with it and what to do
 */
export function accentOf(hex: string): Accent | { problem: string } {
  const chosen = parsed(hex);
  const contrast = contrastOnTint(chosen, lightCard);
  if (contrast < leastContrast) {
    const darker = hexOf(adjusted(chosen, black, lightCard));
    const found = contrast.toFixed(1);
    return {
      problem: `must be darker: its contrast with the pages is ${found}:1, and text needs 4.5:1; choose for example ${darker}`,
    };
  }
  const dark = adjusted(chosen, white, darkCard);
  return { light: hex.toLowerCase(), on_light: '#ffffff', dark: hexOf(dark), on_dark: '#06090d' };
}

/** The colour, shifted towards another one as far as needed to be readable on the card. */
function adjusted(colour: Rgb, towards: Rgb, card: Rgb): Rgb {
  const steps = Array.from({ length: 51 }, (_, step) => mixed(colour, towards, step / 50));
  return steps.find((each) => contrastOnTint(each, card) >= leastContrast) ?? towards;
}

function contrastOnTint(colour: Rgb, card: Rgb): number {
  return contrast(colour, mixed(card, colour, tint));
}

/** WCAG 2.2, "contrast ratio". */
function contrast(one: Rgb, other: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, "relative luminance". */
function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mixed(one: Rgb, other: Rgb, share: number): Rgb {
  const at = (n: 0 | 1 | 2) => Math.round(one[n] + (other[n] - one[n]) * share);
  return [at(0), at(1), at(2)];
}

function parsed(hex: string): Rgb {
  const at = (from: number) => Number.parseInt(hex.slice(from, from + 2), 16);
  return [at(1), at(3), at(5)];
}

function hexOf(colour: Rgb): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
