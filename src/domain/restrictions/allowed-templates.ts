import { AllowedValues, checkValues, containsValues, explainValues, refusal } from './allowed-values.ts';
import { restriction } from './restriction.ts';

/** The message templates that a key may send: the values of the parameter `template`. */
export const allowedTemplates = restriction({
  schema: AllowedValues.meta({
    description: 'templates that the key may send',
    examples: [['welcome', 'password_reset']],
  }),
  refusal,
  form: {
    position: 7,
    fields: [
      {
        name: 'allowed_templates',
        label: { en: 'Allowed templates', de: 'Erlaubte Vorlagen' },
        hint: {
          en: 'One template per line, such as welcome. Empty: any template.',
          de: 'Eine Vorlage pro Zeile, wie welcome. Leer: jede Vorlage.',
        },
        refused: { de: 'Geben Sie pro Zeile eine Vorlage mit höchstens 200 Zeichen ein.' },
        input: 'lines',
      },
    ],
    // Values for some permissions only have no form: `formsOf` leaves out restrictions that the form cannot express.
    show: (written) => ({ allowed_templates: Array.isArray(written) ? written : [] }),
    read: (sent) => (sent('allowed_templates').length > 0 ? sent('allowed_templates') : undefined),
  },
  compile: (written) => ({ check: checkValues('template', written) }),
  contains: containsValues,
  explain: {
    en: (written) => explainValues.en('template', written),
    de: (written) => explainValues.de('template', written),
  },
});
