/**
 * The Lua scripts that write rows. One text for a mode and a number of fields; nothing of the schema is in
 * it, so a server's script cache holds few of them.
 *
 * KEYS   one key a row.
 * ARGV   1 `from`: rows before it are passed over (they were settled by an earlier send of this call)
 *        2.. the field names   then how many TTLs and how many shapes follow, then the forms: two letters a row,
 *        its shape ('0': all fields, '1' the first shape, '2' the next ...) and its TTL ('1' the first one ...);
 *        then the TTLs in milliseconds ('0' = none) and the shapes, one character a field (1 value, 0 absent,
 *        x remove)
 *        then each row: [newer: its event time] · the values present
 * Reply  the number of rows written, when all were; else a text: a letter for each row from `from` on
 *        (W written, U unchanged, S stale, E refused, X no TTL) and after it, one a line, the error of each
 *        E and X. It ends early after an error that later rows would meet as well.
 */
import type { WriteMode } from '../core/types.ts';
import { STOP_WORDS } from './server-errors.ts';

/** Above this many fields values go through a table: a Lua function has 200 registers. */
const UNROLLED_FIELDS = 60;
/** Arguments of one redis.pcall: Lua's unpack gives at most about 7,900 values. Even. */
const UNPACK_LIMIT = 6000;

/** Where the field names start in ARGV, from 1. */
export const NAMES_AT = 2;

export function writeScript(mode: WriteMode, fields: number): string {
  const lead = mode === 'newer' ? 1 : 0;
  return `${prelude(fields)}
${mode === 'newer' ? COMPARE : ''}
for i = 1, n do
  local letter, ttlLetter = byte(forms, 2 * i - 1, 2 * i)
  local shape = letter ~= 48 and (shapes[letter] or shapeOf(letter)) or nil
  if i > from then
    if deadlines[ttlLetter] == nil then deadlines[ttlLetter] = deadlineOf(ttlLetter) end
    local k, at, s, q = K[i], deadlines[ttlLetter], nil, p + ${lead - 1}
    ${row(mode, hset(fields), 'A[p]', mode === 'replace' ? '' : HDEL)}
    if s or out then if note(i, s) then break end end
  end
  p = p + ${lead} + (shape and shape.count or ${fields})
end
if not out then return n - from end
return table.concat(out) .. table.concat(texts)`;
}

function prelude(fields: number): string {
  return `local K, A = KEYS, ARGV
local n = #K
if n == 0 then return 0 end
local from, forms = tonumber(A[1]), A[${NAMES_AT + fields + 2}]
local ttlsAt = ${NAMES_AT + fields + 2} - 48
local shapesAt = ttlsAt + tonumber(A[${NAMES_AT + fields}])
local p = shapesAt + tonumber(A[${NAMES_AT + fields + 1}]) + 49
local pcall, type, unpack, byte, match = redis.pcall, type, unpack, string.byte, string.match
local stop = {${STOP_WORDS.map((word) => `${word}=true`).join(',')}}
local out, texts, t, shapes, deadlines, now, halt, tried = nil, {}, {}, {}, {}, nil, false, false
local function fault(r)
  local text = string.gsub(type(r) == 'table' and r.err or tostring(r), '[\\r\\n]', ' ')
  text = string.gsub(text, '^%-', '')
  texts[#texts + 1] = '\\n' .. text
  if stop[match(text, '^%u+') or ''] then halt = true end
  return 'E'
end
local function untimed(x)
  if type(x) == 'table' then
    fault(x)
  else
    texts[#texts + 1] = '\\nPEXPIREAT answered ' .. tostring(x) .. ' instead of 1'
  end
  return 'X'
end
local function note(i, s)
  if not out then out = {string.rep('W', i - from - 1)} end
  out[#out + 1] = s or 'W'
  return halt
end
local function deadlineOf(letter)
  local ttl = tonumber(A[ttlsAt + letter])
  if ttl == 0 then return false end
  if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return string.format('%.0f', now + ttl)
end
local function shapeOf(letter)
  local mask, shape = A[shapesAt + letter], {count = 0, gone = {}}
  for j = 1, ${fields} do
    local b = byte(mask, j)
    if b == 49 then
      shape.count = shape.count + 1
      shape[shape.count] = A[j + ${NAMES_AT - 1}]
    elseif b == 120 then
      shape.gone[#shape.gone + 1] = A[j + ${NAMES_AT - 1}]
    end
  end
  shapes[letter] = shape
  return shape
end
local function each(command, k, list, count)
  local r = 0
  for a = 1, count, ${UNPACK_LIMIT} do
    r = pcall(command, k, unpack(list, a, math.min(a + ${UNPACK_LIMIT - 1}, count)))
    if type(r) ~= 'number' then break end
  end
  return r
end
${fields <= UNROLLED_FIELDS ? nameLocals(fields) : ''}`;
}

function nameLocals(fields: number): string {
  const numbers = Array.from({ length: fields }, (_, j) => j);
  return `local ${numbers.map((j) => `f${j}`).join(', ')} = ${numbers.map((j) => `A[${NAMES_AT + j}]`).join(', ')}`;
}

/** Lua that sets `r` to the reply of HSET; the values of the row begin at A[q + 1]. */
function hset(fields: number): string {
  return `if shape then
      for j = 1, shape.count do t[2 * j - 1] = shape[j]; t[2 * j] = A[q + j] end
      r = each('HSET', k, t, 2 * shape.count)
    else
      ${fullHset(fields)}
    end`;
}

function fullHset(fields: number): string {
  if (fields > UNROLLED_FIELDS) {
    return `for j = 1, ${fields} do t[2 * j - 1] = A[j + ${NAMES_AT - 1}]; t[2 * j] = A[q + j] end
      r = each('HSET', k, t, ${2 * fields})`;
  }
  const pairs = Array.from({ length: fields }, (_, j) => `f${j}, A[q + ${j + 1}]`);
  return `r = pcall('HSET', k, ${pairs.join(', ')})`;
}

const HDEL = `if shape and type(r) == 'number' and #shape.gone > 0 then r = each('HDEL', k, shape.gone, #shape.gone) end`;

/**
 * The deadline instead of EXPIRE's seconds: those Redis makes into a deadline for its replicas with each command, also
 * where there are none, which is a twentieth of a row.
 */
const TIME_TO_LIVE = `if type(r) ~= 'number' then
      s = fault(r)
    elseif at then
      local x = pcall('PEXPIREAT', k, at)
      if x ~= 1 then s = untimed(x) end
    end`;

function row(mode: WriteMode, hset: string, eventTime: string, hdel: string): string {
  const write = `local r
    ${hset}
    ${hdel}
    ${TIME_TO_LIVE}`;
  if (mode === 'merge') return write;
  return mode === 'replace' ? replaceRow(write, hset) : newerRow(write, eventTime);
}

/**
 * Redis checks maxmemory (and READONLY, MISCONF ...) at a script's first write command only, and DEL passes
 * that check: without an HSET that came through first, replace would delete and then write beyond the limit.
 */
function replaceRow(write: string, hset: string): string {
  return `local r = 0
    if not tried then
      ${hset}
      if type(r) ~= 'number' and match(r.err, '^%-?WRONGTYPE') then r = 0 end
      tried = type(r) == 'number'
    end
    if type(r) == 'number' then r = pcall('DEL', k) end
    if type(r) ~= 'number' then
      s = fault(r)
    else
      ${write}
    end`;
}

function newerRow(write: string, eventTime: string): string {
  return `local time, old = ${eventTime}, pcall('HGET', k, eventField)
    local order = 1
    if type(old) == 'table' then
      s = fault(old)
    elseif old then
      order = compare(time, old)
      if not order then s = fault(incomparable(time, old)) end
    end
    if s then
    elseif order < 0 then
      s = 'S'
    elseif order == 0 then
      s = 'U'
      if at then
        local x = pcall('PEXPIREAT', k, at)
        if x ~= 1 then s = untimed(x) end
      end
    else
      ${write}
    end`;
}

/**
 * Event times without floating point. Each becomes a kind and digits that sort as text: RFC 3339 UTC and
 * dates as 14 digits and 9 of fraction, integers by sign, length and digits.
 */
const COMPARE = `local eventField = A[@EVENT_FIELD@]
local function parts(text)
  local day, h, m, s, fraction = match(text, '^(%d%d%d%d%-%d%d%-%d%d)T(%d%d):(%d%d):(%d%d)%.?(%d*)Z$')
  if day and #fraction <= 9 then
    return 'time', 1, string.gsub(day, '%-', '') .. h .. m .. s .. fraction .. string.rep('0', 9 - #fraction)
  end
  day = match(text, '^%d%d%d%d%-%d%d%-%d%d$')
  if day then return 'time', 1, string.gsub(day, '%-', '') .. '000000000000000' end
  local sign, digits = match(text, '^([+-]?)0*(%d+)$')
  if digits then return 'integer', (sign == '-' and digits ~= '0') and -1 or 1, digits end
end
local function compare(a, b)
  if a == b then return 0 end
  local kindA, signA, x = parts(a)
  local kindB, signB, y = parts(b)
  if not kindA or kindA ~= kindB then return nil end
  if signA ~= signB then return signA end
  if x == y then return 0 end
  if #x ~= #y then return #x > #y and signA or -signA end
  return x > y and signA or -signA
end
local function incomparable(a, b)
  return 'expected event times of one kind (RFC 3339 UTC or date, or integer), found "'
    .. string.sub(a, 1, 64) .. '" in the row and "' .. string.sub(b, 1, 64) .. '" in Redis'
end`;

/** The text for one run: `eventTimeField` is the index of the event time in the fields (mode newer). */
export function scriptFor(mode: WriteMode, fields: number, eventTimeField: number | null): string {
  return writeScript(mode, fields).replace('@EVENT_FIELD@', String(NAMES_AT + (eventTimeField ?? 0)));
}
