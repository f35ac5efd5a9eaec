/** A schema file, YAML or JSON → FeatureSchema. */
import { type Document, isPair, isScalar, parseDocument, visit } from 'yaml';
import type { z } from 'zod/mini';
import { binaryProblem, yamlProblems } from '../core/yaml-words.ts';
import { timeZone } from './codecs/time-zone.ts';
import { buildFeature, type FeatureContext, tokenSet, zoneProblem } from './feature.ts';
import { familyOf } from './feature-family.ts';
import { type FeatureForm, featureForm, headForm } from './form.ts';
import { type KeyTemplate, parseKeyTemplate } from './key-template.ts';
import { addIssues, collectProblems, describe, type Problems } from './problems.ts';
import { parseJitter, parseTtl } from './ttl.ts';
import type { Feature, FeatureSchema } from './types.ts';

/** `file` is for messages. Throws SCHEMA with every problem found, a line each with its path. */
export function parseSchema(text: string, file: string): FeatureSchema {
  const problems = collectProblems(file);
  const content = readYaml(text, problems);
  problems.throwIfAny();
  const checked = headForm.safeParse(content);
  if (!checked.success) addIssues(problems, [], checked.error.issues, content, Object.keys(headForm.shape));
  const forms = featureForms(ownValue(content, 'features'), problems);
  const schema = buildSchema(checked.data ?? validPart(content), forms, problems);
  problems.throwIfAny();
  return schema;
}

/** Integers that a double does not hold stay text, so that bounds and defaults keep every digit. */
function readYaml(text: string, problems: Problems): unknown {
  const binary = binaryProblem(text);
  if (binary !== null) {
    problems.add([], binary);
    return null;
  }
  const document = parseDocument(text, { intAsBigInt: true, stringKeys: true, prettyErrors: false });
  for (const { line, text: words } of yamlProblems(document.errors, text)) problems.addAt(line, words);
  if (document.errors.length > 0) return null;
  keepSourceText(document);
  const content = contentOf(document, problems);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.add([], `expected a map with name, key, ttl and features, found ${foundInstead(content)}`);
  }
  return plainNumbers(content);
}

/** Options whose value is text that a cell is compared with or read like: `-999.0`, NULL and TRUE are words. */
const TEXT_LISTS: readonly unknown[] = ['tokens', 'true', 'false'];
const TEXT_VALUES: readonly unknown[] = ['default', 'min', 'max'];

/** Keeps such a value as it is written, where YAML would make 1.5 of 1.50 or null of NULL. */
function keepSourceText(document: Document): void {
  visit(document, {
    Scalar: (_key, node, path) => {
      if (node.source === undefined || node.type !== 'PLAIN') return;
      const pair = path.findLast(isPair);
      if (!pair || !isScalar(pair.key) || pair.key === node) return;
      const isItem = path.at(-1) !== pair;
      const isText = isItem
        ? TEXT_LISTS.includes(pair.key.value)
        : TEXT_VALUES.includes(pair.key.value) && node.value !== null;
      if (isText) node.value = node.source;
    },
  });
}

/** Aliases that unfold to more than a schema can hold are a problem of the file, not a crash. */
function contentOf(document: Document, problems: Problems): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const unknown = /^Unresolved alias .*: (.+)$/s.exec(error instanceof Error ? error.message : '')?.[1];
    const what =
      unknown === undefined
        ? 'expected a few aliases at most, found so many that they unfold to a huge file; write the values out'
        : `expected an anchor &${unknown} before its alias *${unknown}, found none; a text that begins with * needs quotes`;
    problems.add([], what);
    return {};
  }
}

function foundInstead(content: unknown): string {
  if (content === null || content === undefined) return 'an empty file; featurectl infer SOURCE drafts one';
  if (Array.isArray(content)) return 'a list; write "name: …" without the dashes';
  return 'text or other data; check the path: featurectl infer SOURCE drafts such a file';
}

function plainNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== 'object' || value === null) return value;
  const copy: object = {};
  for (const [key, item] of Object.entries(value)) define(copy, key, plainNumbers(item));
  return copy;
}

/** `__proto__` is a name like any other. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function ownValue(content: unknown, key: string): unknown {
  return Object.getOwnPropertyDescriptor(content, key)?.value;
}

/** The keys that are right, so that what they hold is checked too while other keys are wrong. */
function validPart(content: unknown): z.infer<typeof headForm> {
  const valid = Object.entries(headForm.shape).flatMap(([key, form]) => {
    const checked = form.safeParse(ownValue(content, key));
    return checked.success ? [[key, checked.data]] : [];
  });
  return { name: '', key: '{_row}', ttl: 'none', features: null, ...Object.fromEntries(valid) };
}

/** Each feature is checked by itself: zod's records would drop one named `__proto__`. */
function featureForms(features: unknown, problems: Problems): Map<string, FeatureForm> {
  const forms = new Map<string, FeatureForm>();
  if (typeof features !== 'object' || features === null || Array.isArray(features)) {
    problems.add(
      ['features'],
      `expected a map of name → type, such as "total_purchases: int64", found ${describe(features ?? undefined)}`,
    );
    return forms;
  }
  for (const [name, value] of Object.entries(features)) {
    const options = typeof value === 'string' ? { type: value } : value;
    const checked = featureForm.safeParse(options);
    if (checked.success) forms.set(name, checked.data);
    else
      addIssues(problems, ['features', name], checked.error.issues, options, Object.keys(featureForm.shape));
    if (name === '') problems.add(['features'], 'expected a name for each feature, found an empty one');
  }
  if (forms.size === 0 && problems.count === 0) problems.add(['features'], 'expected at least one feature');
  return forms;
}

function buildSchema(
  head: z.infer<typeof headForm>,
  forms: Map<string, FeatureForm>,
  problems: Problems,
): FeatureSchema {
  const context = topContext(head, problems);
  const eventTime = addEventTime(head, forms, problems);
  const features = [...forms].map(([name, form]) => build(name, form, context, problems));
  const names = features.map((feature) => feature.name);
  const ttl = parseTtl(head.ttl);
  const jitter = head.ttl_jitter === undefined ? 0 : parseJitter(head.ttl_jitter, ttl);
  return {
    name: head.name,
    key: checkedKey(head.key, problems),
    ttlMs: numberOr(ttl, ['ttl'], problems),
    ttlJitter: numberOr(jitter, ['ttl_jitter'], problems),
    features,
    fields: features.map((feature) => feature.field),
    eventTimeField: eventTime === null ? null : names.indexOf(eventTime),
    nullTokens: context.tokens,
    zone: context.zone,
  };
}

function topContext(head: z.infer<typeof headForm>, problems: Problems): Omit<FeatureContext, 'problem'> {
  const zone = head.timezone === undefined ? null : timeZone(head.timezone);
  if (head.timezone !== undefined && !zone) problems.add(['timezone'], zoneProblem(head.timezone));
  return { zone, policy: head.null?.policy ?? 'skip', tokens: tokenSet(head.null?.tokens ?? ['']) };
}

function build(
  name: string,
  form: FeatureForm,
  context: Omit<FeatureContext, 'problem'>,
  problems: Problems,
): Feature {
  const problem = (option: string, message: string): void => {
    problems.add(['features', name, ...(option === '' ? [] : [option])], message);
  };
  return buildFeature(name, form, { ...context, problem });
}

/**
 * The feature that holds the event time. A column that no feature of that name reads is found by `from`, or
 * becomes a timestamp feature of its name.
 */
function addEventTime(
  head: z.infer<typeof headForm>,
  forms: Map<string, FeatureForm>,
  problems: Problems,
): string | null {
  const name = head.event_time;
  if (name === undefined) return null;
  const form = forms.get(name);
  if (form === undefined) {
    const reader = [...forms].find(([, { from, type }]) => from === name && isTime(type));
    if (reader) return reader[0];
    forms.set(name, { type: 'timestamp' });
  } else if (!isTime(form.type)) {
    problems.add(['event_time'], `expected a feature of type timestamp or date, found ${name}: ${form.type}`);
  }
  return name;
}

function isTime(type: string): boolean {
  return ['timestamp', 'date'].includes(familyOf(type));
}

function checkedKey(text: string, problems: Problems): KeyTemplate {
  const template = parseKeyTemplate(text);
  if (typeof template !== 'string') return template;
  problems.add(['key'], template);
  return { text, parts: [], columns: [], escape: (value) => value, isPlain: () => true };
}

function numberOr(parsed: number | string, path: readonly string[], problems: Problems): number {
  if (typeof parsed === 'number') return parsed;
  problems.add(path, parsed);
  return 0;
}
