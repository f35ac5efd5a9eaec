/** What column names tell of a file that is not what it was taken for: no header, or another delimiter. */

const HEADER_ADVICE = 'write a header line (Spark: .option("header", true))';

const VALUE = /^(?:[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?|\d{4}-\d\d-\d\d(?:[T ][\d:.+Z-]+)?|true|false)$/i;

/** At the end of a message that lists the names; empty where they look like names. */
export function headerAdvice(names: readonly string[]): string {
  return valuesAmong(names).length > 0 ? `; if the first line is a row: ${HEADER_ADVICE}` : '';
}

/** A sentence; null where the names look like names. */
export function headerWarning(names: readonly string[]): string | null {
  const values = valuesAmong(names);
  if (values.length === 0) return null;
  const some = values.slice(0, 3).map((name) => JSON.stringify(name));
  const looks = `${values.length === 1 ? 'looks like a value' : 'look like values'}`;
  return `the first line names columns ${some.join(', ')}, which ${looks}; if it is a row: ${HEADER_ADVICE}`;
}

/** Whole numbers in a row, such as years or the parts of an embedding, are names. */
function valuesAmong(names: readonly string[]): readonly string[] {
  const values = names.filter((name) => VALUE.test(name));
  const isCounting = values.length > 1 && values.every((name, i) => name === String(Number(values[0]) + i));
  return isCounting ? [] : values;
}

/** The delimiter of a file that was read as one column of this name, as a shell takes it; null: none is in sight. */
export function otherDelimiter(name: string): string | null {
  const found = /[;\t|]/.exec(name)?.[0] ?? /,/.exec(name)?.[0];
  if (found === undefined) return null;
  return found === '\t' ? "'\\t'" : `'${found}'`;
}
