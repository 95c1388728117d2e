/** How long a host asks to be left alone. */
const longestMs = 86_400_000

/** Of a Retry-After header (seconds, or a date of HTTP), at most a day; undefined where it says nothing usable. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  const waitMs = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : httpDate(text) - nowMs
  return waitMs >= 0 ? Math.min(waitMs, longestMs) : undefined
}

/** RFC 9110's preferred form, which is all that servers send. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN
}
