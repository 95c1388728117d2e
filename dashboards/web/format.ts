/** Numbers and times in words. */

export type Zone = 'utc' | 'local'

const minus = '−'

/** '+0.44', '−0.21', '0.00': the sign stands for the colour too. */
export function formatScore(score: number): string {
  const digits = Math.abs(score).toFixed(2)
  if (digits === '0.00') return digits
  return `${score < 0 ? minus : '+'}${digits}`
}

/** An arrow before the score, for headlines and tables. */
export function formatTone(score: number): string {
  if (Math.abs(score) < 0.005) return `● ${formatScore(score)}`
  return `${score < 0 ? '▼' : '▲'} ${formatScore(score)}`
}

export function toneClass(score: number): 'negative' | 'positive' | 'muted' {
  if (Math.abs(score) < 0.005) return 'muted'
  return score < 0 ? 'negative' : 'positive'
}

export const formatCount = (count: number): string =>
  Math.round(count).toLocaleString('en-US', { maximumFractionDigits: 0 })

export const formatPercent = (share: number): string => `${Math.round(share * 100)}%`

/** '4·10⁻⁹' below a thousandth. */
export function formatProbability(p: number): string {
  if (!(p > 0)) return '0'
  if (p >= 0.001) return p.toFixed(3)
  const [digit = '', exponent = ''] = p.toExponential(0).split('e')
  return `${digit}·10${superscript(Number(exponent))}`
}

function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '')
  return `${exponent < 0 ? '⁻' : ''}${digits.join('')}`
}

export const zoneName = (zone: Zone): string =>
  zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll('_', ' ')

/** '14:32:08' in the zone. */
export function formatTime(at: Date, zone: Zone): string {
  return at.toLocaleTimeString('en-GB', options(zone))
}

/** '26 Jun' in the zone. */
export function formatDate(at: Date, zone: Zone): string {
  return at.toLocaleDateString('en-GB', { ...options(zone), day: 'numeric', month: 'short' })
}

/** '26 Jun 2020, 14:32' in the zone. */
export function formatDay(at: Date, zone: Zone): string {
  return at.toLocaleString('en-GB', {
    ...options(zone),
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
}

function options(zone: Zone): Intl.DateTimeFormatOptions {
  return zone === 'utc' ? { timeZone: 'UTC' } : {}
}

/** '4 s', '3 min', '2 h', '5 d': how long ago. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, ms / 1_000)
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
