/**
 * The columns of files in which each has one leaf: plain columns, and lists of plain values. Where two readings are
 * possible the answer is none, and parquet-wasm says what a column is.
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists
 */
import type { LogicalType } from '../../core/types.ts';
import { ARROW_TYPE, type ArrowHint, readArrowHints } from './arrow-hints.ts';
import { afterTree, CONVERTED, REPETITION, type SchemaElement } from './elements.ts';
import { type LeafType, leafType } from './leaf-type.ts';

export interface LeafColumn {
  readonly name: string;
  readonly type: LogicalType;
  /** Of the column, or of the values in its lists. */
  readonly leaf: LeafType;
  readonly list: ListShape | null;
}

export interface ListShape {
  /** A row may have no list. */
  readonly isOptional: boolean;
  /** Values that each list has; null: any number. */
  readonly size: number | null;
}

/** Null where a column is nested otherwise, or of a type that is not told for sure. */
export function leafColumns(
  elements: readonly SchemaElement[],
  arrowSchema: string | null,
): readonly LeafColumn[] | null {
  const tops = topLevel(elements);
  if (elements[0]?.children !== tops.length) return null;
  const hints = hintsOf(arrowSchema, tops);
  if (hints === 'unclear') return null;
  const columns = tops.map((tree, index) => leafColumn(tree, hints === null ? null : hints[index]!));
  return columns.every((column) => column !== null) ? columns : null;
}

/** The trees below the root, each with its own root first. */
function topLevel(elements: readonly SchemaElement[]): readonly (readonly SchemaElement[])[] {
  const trees: SchemaElement[][] = [];
  for (let at = 1; at < elements.length; ) {
    const after = afterTree(elements, at);
    trees.push(elements.slice(at, after));
    at = after;
  }
  return trees;
}

function hintsOf(
  arrowSchema: string | null,
  tops: readonly (readonly SchemaElement[])[],
): readonly ArrowHint[] | null | 'unclear' {
  if (arrowSchema === null) return null;
  try {
    const hints = readArrowHints(arrowSchema);
    const fit = hints.length === tops.length && hints.every(({ name }, i) => name === tops[i]![0]!.name);
    return fit ? hints : 'unclear';
  } catch {
    return 'unclear';
  }
}

function leafColumn(tree: readonly SchemaElement[], hint: ArrowHint | null): LeafColumn | null {
  const top = tree[0]!;
  if (tree.length > 1) return listColumn(tree, hint);
  const leaf = leafType(top, hint);
  return leaf && { name: top.name, type: leaf.type, leaf, list: null };
}

/** A list is a group of a repeated group of what its values are. Older writers left one of the groups out. */
function listColumn(tree: readonly SchemaElement[], hint: ArrowHint | null): LeafColumn | null {
  const [top, repeated, element] = tree;
  if (tree.length !== 3 || !isList(top!) || !isOfLists(repeated!, top!.name)) return null;
  if (hint !== null && (hint.item === null || hint.isExtension)) return null;
  const leaf = leafType(element!, hint?.item ?? null);
  if (leaf === null) return null;
  const size = hint?.type === ARROW_TYPE.fixedList ? hint.listSize : null;
  const list = { isOptional: top!.repetition === REPETITION.optional, size };
  return { name: top!.name, type: { kind: 'list', item: leaf.type, size }, leaf, list };
}

function isList({ children, repetition, logical, converted }: SchemaElement): boolean {
  const isOne = logical === null ? converted === CONVERTED.list : logical.name === 'list';
  const isAlone = repetition === REPETITION.required || repetition === REPETITION.optional;
  return isOne && isAlone && children === 1;
}

/** By these names older writers called what is no group of its own, but the value. */
function isOfLists({ name, children, repetition, isPlain }: SchemaElement, list: string): boolean {
  const isValue = name === 'array' || name === `${list}_tuple`;
  return children === 1 && repetition === REPETITION.repeated && isPlain && !isValue;
}
