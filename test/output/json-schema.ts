/** The part of JSON Schema that docs/report.schema.json uses. Any other keyword is an error, never ignored. */

type Json = Readonly<Record<string, unknown>>;
type Check = (rule: unknown, value: unknown, at: string, schema: Json) => string[];

const CHECKS: Readonly<Record<string, Check>> = {
  $schema: () => [],
  title: () => [],
  description: () => [],
  type: (rule, value, at) =>
    when(![rule].flat().includes(typeOf(value, [rule].flat())), `${at}: not ${rule}`),
  const: (rule, value, at) => when(value !== rule, `${at}: not ${rule}`),
  enum: (rule, value, at) => when(!asArray(rule).includes(value), `${at}: not one of ${rule}`),
  minimum: (rule, value, at) => when(typeof value === 'number' && value < Number(rule), `${at}: < ${rule}`),
  maximum: (rule, value, at) => when(typeof value === 'number' && value > Number(rule), `${at}: > ${rule}`),
  minLength: (rule, value, at) =>
    when(typeof value === 'string' && value.length < Number(rule), `${at}: short`),
  pattern: (rule, value, at) =>
    when(typeof value === 'string' && !new RegExp(String(rule)).test(value), `${at}: not ${rule}`),
  format: (rule, value, at) => when(typeof value === 'string' && !isTime(value), `${at}: no ${rule}`),
  required: (rule, value, at) =>
    asArray(rule).flatMap((name) => when(isObject(value) && !(String(name) in value), `${at}: no ${name}`)),
  properties: (rule, value, at) =>
    Object.entries(asObject(rule)).flatMap(([name, schema]) =>
      isObject(value) && name in value ? validate(asObject(schema), value[name], `${at}.${name}`) : [],
    ),
  additionalProperties: (rule, value, at, schema) => {
    const known = Object.keys(asObject(schema.properties ?? {}));
    const others = isObject(value) ? Object.entries(value).filter(([name]) => !known.includes(name)) : [];
    return others.flatMap(([name, other]) =>
      rule === false ? [`${at}: unknown ${name}`] : validate(asObject(rule), other, `${at}.${name}`),
    );
  },
  items: (rule, value, at) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => validate(asObject(rule), item, `${at}[${index}]`))
      : [],
};

/** All problems; none = valid. */
export function validate(schema: Json, value: unknown, at = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    const check = CHECKS[keyword];
    return check ? check(rule, value, at, schema) : [`${at}: keyword ${keyword} is not known to this test`];
  });
}

function when(bad: boolean, message: string): string[] {
  return bad ? [message] : [];
}

function typeOf(value: unknown, allowed: readonly unknown[]): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) && !allowed.includes('number') ? 'integer' : typeof value;
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Json {
  if (!isObject(value)) throw new Error('not an object');
  return value;
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('not an array');
  return value;
}
