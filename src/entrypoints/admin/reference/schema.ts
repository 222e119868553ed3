/** The part of JSON Schema that the routes' schemas use on the wire. */
export type Schema = {
  type?: string;
  description?: string;
  deprecated?: boolean;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  default?: unknown;
  examples?: unknown[];
};

/** One line of the table that shows a schema; `level` is its depth. */
export type ReferenceMember = {
  name: string;
  level: number;
  type: string;
  is_required: boolean;
  is_deprecated: boolean;
  description: string;
};

const mostLevels = 4;

/** A schema as lines of a table: each member, and below it its own members. */
export function membersOf(schema: Schema, level = 0): ReferenceMember[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, member]) => {
    const line = {
      name,
      level,
      type: typeOf(member),
      is_required: required.includes(name),
      is_deprecated: member.deprecated === true,
      description: [member.description, boundsOf(member)].filter(Boolean).join('; '),
    };
    return [line, ...(level < mostLevels ? nested(member).flatMap((each) => membersOf(each, level + 1)) : [])];
  });
}

/** The nested objects: a list's items, an object's own members, and each alternative. */
function nested(schema: Schema): Schema[] {
  const { anyOf, items, properties } = schema;
  if (anyOf) return anyOf.flatMap(nested);
  if (items) return nested(items);
  return properties ? [schema] : [];
}

function boundsOf(schema: Schema): string {
  const { default: standard, minimum, maximum, maxLength, maxItems } = schema;
  const isBounded = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return [
    isBounded && `from ${minimum} to ${maximum}`,
    maxLength !== undefined && `at most ${maxLength} characters`,
    maxItems !== undefined && `at most ${maxItems} items`,
    standard !== undefined && `default: ${JSON.stringify(standard)}`,
  ]
    .filter(Boolean)
    .join('; ');
}

function typeOf({ type, enum: choices, const: constant, format, items, anyOf, additionalProperties }: Schema): string {
  if (choices) return choices.map((choice) => JSON.stringify(choice)).join(' | ');
  if (constant !== undefined) return JSON.stringify(constant);
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' | ');
  if (type === 'array') return `array of ${items ? typeOf(items) : 'any'}`;
  if (typeof additionalProperties === 'object') return `map of ${typeOf(additionalProperties)}`;
  return format && !format.startsWith('regex') ? `${type} (${format})` : (type ?? 'any');
}
