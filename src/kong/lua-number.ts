const SIGNIFICANT_DIGITS = 14;

/**
 * A number as Lua's tostring writes it: C's `%.14g`. Exact ties round up here and to even in C, which never shows:
 * the encoder on the other side has written at most 14 digits already.
 */
export function luaNumber(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', power = '0'] = value.toExponential(SIGNIFICANT_DIGITS - 1).split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= SIGNIFICANT_DIGITS) {
    const sign = exponent < 0 ? '-' : '+';
    return `${withoutTrailingZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return withoutTrailingZeros(value.toFixed(Math.max(0, SIGNIFICANT_DIGITS - 1 - exponent)));
}

function withoutTrailingZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
