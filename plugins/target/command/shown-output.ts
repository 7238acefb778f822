const PEM = /-----BEGIN [^-]*-----[\s\S]*?(-----END [^-]*-----|$)/g;
/** One whose beginning is not among the last bytes that were kept. */
const END_OF_PEM = /^[A-Za-z0-9+/=\\\s]*-----END [^-]*-----/;
/** Control characters, and what turns the direction of text: a log line stays one line and says what it says. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** What a command said, on one line. Keys and certificates are cut out; other values cannot be told apart. */
export function shownOutput(output: string): string {
  return output.replace(END_OF_PEM, '***').replace(PEM, '***').replace(UNPRINTABLE, ' ').trim();
}
