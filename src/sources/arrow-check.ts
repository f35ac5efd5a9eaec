import { isUtf8 } from 'node:buffer';
import { type Data, DataType, type RecordBatch } from 'apache-arrow';
import { IN_VIEW } from '../core/slots.ts';
import { bytePlaces, bytesOf, nullsOf, type ViewSlots, viewSlots } from './arrow-values.ts';
import { areAllUtf8 } from './decoded-column.ts';

/**
 * Checks that the buffers of a record batch hold what its lengths promise, so that no value is read from
 * outside of them. apache-arrow trusts the file. Throws an Error in words.
 */
export function checkBatch(batch: RecordBatch, indexes: readonly number[]): void {
  for (const index of indexes) checkData(batch.data.children[index]!, batch.numRows, true);
}

function checkData(data: Data, length: number, topLevel: boolean): void {
  const fits = topLevel ? data.length === length : data.length >= length;
  if (!fits) throw new Error(`an array of ${data.length} values where ${length} belong`);
  // An array of type null has no buffers at all.
  if (data.length === 0 || DataType.isNull(data.type)) return;
  if (data.nullCount > 0 && data.nullBitmap.length * 8 < data.length)
    throw new Error('a short validity bitmap');
  if (data.dictionary !== undefined) checkDictionary(data);
  else if (data.valueOffsets !== undefined) checkOffsets(data);
  else if (data.values !== undefined) checkWidth(data);
  const views = viewSlots(data);
  if (views !== null) checkViews(data, views, topLevel);
  else if (!topLevel && data.dictionary === undefined) checkText(data);
  for (const child of data.children) checkData(child, childLength(data), false);
}

/** Parts of dictionaries, which all batches share. */
const checked = new WeakSet<Data>();

function checkDictionary(data: Data): void {
  const size = data.dictionary!.length;
  const keys = data.values as ArrayLike<number>;
  for (let index = 0; index < data.length; index++) {
    const key = Number(keys[index]);
    if (!(key >= 0 && key < size) && data.getValid(index))
      throw new Error(`a dictionary key ${key} of ${size}`);
  }
  for (const chunk of data.dictionary!.data) {
    if (checked.has(chunk)) continue;
    checkData(chunk, chunk.length, false);
    checked.add(chunk);
  }
}

function checkOffsets(data: Data): void {
  const offsets = data.valueOffsets as ArrayLike<number>;
  if (offsets.length < data.length + 1) throw new Error('too few offsets');
  const limit = data.children[0]?.length ?? bytesOf(data.values).length;
  let before = 0;
  for (let index = 0; index <= data.length; index++) {
    const offset = Number(offsets[index]);
    if (offset < before || offset > limit) throw new Error(`an offset ${offset} outside ${before}–${limit}`);
    before = offset;
  }
}

function checkWidth(data: Data): void {
  const values = data.values as ArrayLike<number>;
  const needed = DataType.isBool(data.type) ? Math.ceil(data.length / 8) : data.length * data.stride;
  if (values.length < needed) throw new Error(`a buffer of ${values.length} values where ${needed} belong`);
}

/** Text is looked at where it is nested: a value of a column has its own fault. */
function checkViews(data: Data, { length, head, place }: ViewSlots, topLevel: boolean): void {
  const isText = DataType.isUtf8View(data.type) && !topLevel;
  const isNull = nullsOf(data);
  for (let index = 0; index < data.length; index++) {
    if (isNull?.(index)) continue;
    const size = length(index);
    const { bytes, start } = place(index);
    if (size < 0 || start < 0 || bytes === undefined || start + size > bytes.length)
      throw new Error(`a view of ${size} bytes outside of its buffer`);
    if (size > IN_VIEW && bytes.readInt32LE(start) !== head(index))
      throw new Error('a view that begins otherwise than its bytes');
    if (isText && !isUtf8(bytes.subarray(start, start + size))) throw new Error('text that is not UTF-8');
  }
}

function checkText(data: Data): void {
  if (!DataType.isUtf8(data.type) && !DataType.isLargeUtf8(data.type)) return;
  if (!areAllUtf8(bytePlaces(data)!, 0, data.length)) throw new Error('text that is not UTF-8');
}

function childLength(data: Data): number {
  if (DataType.isFixedSizeList(data.type)) return data.length * data.type.listSize;
  return DataType.isStruct(data.type) ? data.length : 0;
}
