import { readConfig } from '../../../src/config.ts';
import { languages, textsOf } from '../../../src/entrypoints/pages/languages/languages.ts';
import { bdi, link, rich, strong } from '../../../src/entrypoints/pages/languages/markup.ts';

type Text = { path: string; parameters: string[]; said: string };

/** Every text of a catalogue, with the parameters that it reads and its output for them. */
function everyText(part: object, path = ''): Text[] {
  return Object.entries(part).flatMap(([name, value]): Text[] => {
    const here = `${path}${name}`;
    if (typeof value === 'string') return [{ path: here, parameters: [], said: value }];
    if (typeof value !== 'function') return everyText(value, `${here}.`);
    const parameters = new Set<string>();
    const lookAt = (count: number) =>
      new Proxy(
        {},
        {
          get: (_, parameter) => {
            parameters.add(String(parameter));
            if (parameter === 'names') return ['One', 'Two'];
            return /^(count|minutes|page|pages|status)$/.test(String(parameter)) ? count : `[${String(parameter)}]`;
          },
        },
      );
    const said = [1, 2].map((count) => String(value(lookAt(count)))).join(' ');
    return [{ path: here, parameters: [...parameters].sort(), said }];
  });
}

describe('the texts of a language', () => {
  const english = everyText(textsOf('en'));
  const shape = (texts: Text[]) => texts.map(({ path, parameters }) => `${path}(${parameters})`).sort();

  test.each(languages)('are complete in %s: the same texts, with the same parameters', (language) => {
    expect(shape(everyText(textsOf(language)))).toEqual(shape(english));
  });

  test.each(languages)('are not empty in %s, and contain no markup', (language) => {
    const texts = everyText(textsOf(language));
    expect(texts.filter(({ said }) => said.trim() === '' || /[<>&]|undefined|\[object/.test(said))).toEqual([]);
    expect(textsOf(language).tag).toBe(language);
  });

  test('are translated: few are the same', () => {
    const same = everyText(textsOf('de')).filter(({ said }, n) => said === english[n]?.said);
    expect(same.length).toBeLessThan(english.length / 20);
  });

  test.each(languages)('can be chosen for the installation: %s', (language) => {
    expect(readConfig({ NODE_ENV: 'test', LATCHKEY_LANGUAGE: language }).language).toBe(language);
  });
});

describe('a sentence with marked-up parts', () => {
  const sentence = ({ app, page }: { app: string; page: string }) => `${app} is under ${page}`;

  test('escapes names, wherever they stand', () => {
    const hostile = '<img src=x onerror="alert(1)">\u202e';
    const html = rich(sentence, { app: strong(hostile), page: link('/a?b="c"&d', hostile) });
    expect(html).not.toMatch(/<img|\u202e/);
    expect(html).toContain('<strong>&lt;img');
    expect(html).toContain('href="/a?b=&quot;c&quot;&amp;d"');
    expect(rich(sentence, { app: hostile, page: bdi(hostile) })).not.toContain('<img');
  });

  test('refuses what is neither a text, a number nor markup', () => {
    const names = ['<img src=x>'] as unknown as string;
    expect(() => rich(sentence, { app: names, page: 'here' })).toThrow(TypeError);
  });
});
