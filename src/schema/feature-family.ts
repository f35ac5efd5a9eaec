/** The type's family: `int32` and `uint8` → int, `vector<float32>[8]` → vector, others themselves. */
export function familyOf(type: string): string {
  return /^(?:u?int|float|vector|[a-z]+)/.exec(type)?.[0].replace('uint', 'int') ?? type;
}
