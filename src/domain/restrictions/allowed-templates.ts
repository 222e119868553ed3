import { AllowedValues, checkValues, containsValues, explainValues } from './allowed-values.ts';
import { restriction } from './restriction.ts';

/** Which message templates a key may send: the values of the parameter `template`. */
export const allowedTemplates = restriction({
  schema: AllowedValues.meta({
    description: 'templates that the key may send',
    examples: [['welcome', 'password_reset']],
  }),
  compile: (written) => ({ check: checkValues('template', written) }),
  contains: containsValues,
  explain: (written) => explainValues('template', written),
});
